"""Find blank and stray slices of a stack by their pixels."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import StraySlices
from lungprep.image.coherence.contents import is_empty, lost, repeats
from lungprep.image.coherence.interpolation import SliceHU, on_a_line
from lungprep.image.coherence.thumbnails import Thumbnail, block_size, thumbnail
from lungprep.image.coherence.verdict import Evidence, Objection, objections
from lungprep.image.hounsfield.scale import HU_MAX
from lungprep.image.series.geometry import Floats, Stack
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import Triple, triple

#: Tissue, contrast medium and bone are less dense than this. Values clipped at 3071 HU are metal.
METAL_HU = 2800


@dataclass(frozen=True)
class Stray:
    """Slices that may not belong, for the sidecar.

    Attributes
    ----------
    first_mm, last_mm : tuple of float
        ImagePositionPatient of the first and the last of these slices.
    found : str
        The fault.
    """

    first_mm: Triple
    last_mm: Triple
    found: str

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as plain lists and text."""
        return asdict(self)


@dataclass(frozen=True)
class Look:
    """Summary of the slices, to compare each with its neighbours.

    Attributes
    ----------
    keys : list of str
        Names, for messages, in order of the stack.
    thumbnails : list of ndarray of float32
        Thumbnails of the slices, each at its true position in the plane.
    metal : list of bool
        Whether each slice shows metal.
    empty : list of bool
        Whether each slice is blank.
    """

    keys: list[str]
    thumbnails: list[Thumbnail] = field(default_factory=list)
    metal: list[bool] = field(default_factory=list)
    empty: list[bool] = field(default_factory=list)

    def add(self, hu: NDArray[np.int16], stack: Stack) -> None:
        """Add the next slice, HU (rows, columns)."""
        self.metal.append(bool(hu.max() >= METAL_HU))
        if stack.shifts_mm is not None:
            hu = _shifted(hu, stack.shifts_mm[len(self.thumbnails)] / stack.spacing_mm[1:])
        small = thumbnail(hu)
        self.thumbnails.append(small)
        self.empty.append(is_empty(small) and is_empty(thumbnail(hu, HU_MAX)))

    def with_content(self, stack: Stack) -> NDArray[np.bool_]:
        """Mark the slices with content, and blank slices beyond the ends of the body."""
        empty = np.array(self.empty)
        return ~lost(np.stack(self.thumbnails), empty, along_body=_along_body(stack))

    def take(self, kept: NDArray[np.bool_]) -> "Look":
        """Return the summary of some of the slices."""
        chosen = np.flatnonzero(kept)
        names = ("keys", "thumbnails", "metal", "empty")
        return Look(*([getattr(self, name)[k] for k in chosen] for name in names))


def check_neighbours(
    look: Look,
    stack: Stack,
    slice_hu: SliceHU,
    options: LoadOptions,
    *,
    plausible: bool = True,
) -> list[Stray]:
    """Compare each slice with its neighbours.

    Parameters
    ----------
    look : Look
        Summary of the slices.
    stack : Stack
        Geometry of the slices.
    slice_hu : callable
        Function that returns the HU (rows, columns) of a slice.
    options : LoadOptions
        Policy that says whether stray slices are refused.
    plausible : bool
        Whether the values look like Hounsfield units.

    Returns
    -------
    list of Stray
        Doubtful slices; with ``on_stray_slices`` "flag", certain strays too.

    Raises
    ------
    StraySlices
        If slices certainly do not belong, unless ``on_stray_slices`` is "flag".
    """
    thumbnails = np.stack(look.thumbnails)
    size = block_size(*stack.shape[1:])
    block_mm = (size * stack.spacing_mm[1], size * stack.spacing_mm[2])
    copies = [Objection(a, b, "have the same pixels", True) for a, b in _copies(look, slice_hu)]
    evidence = Evidence(
        thumbnails,
        stack.heights,
        block_mm,
        np.array(look.metal),
        np.array(look.empty),
        _along_body(stack),
        slice_hu,
        plausible,
    )
    found = copies or objections(evidence)
    certain = [objection for objection in found if objection.certain]
    if certain and options.on_stray_slices == "error":
        more = f" (and {len(certain) - 1} more such places)" if len(certain) > 1 else ""
        raise StraySlices(
            f"{_named(certain[0], look.keys)}{more}",
            "upload the series again, or set load.on_stray_slices to flag if it is sound",
        )
    return [Stray(_position(stack, o.first), _position(stack, o.last), o.found) for o in found]


def _copies(look: Look, slice_hu: SliceHU) -> list[tuple[int, int]]:
    """Find slices with the same pixels, except beyond the ends of a scan that was resampled."""
    copies = repeats(np.stack(look.thumbnails), slice_hu)
    count = len(look.keys)
    first = next((k for k in range(count - 1) if (0, k + 1) not in copies), 0)
    repeated = {b for _, b in copies}
    last = next((k for k in range(count - 1, 0, -1) if k not in repeated), 0)
    inside = [(a, b) for a, b in copies if b > first and a < last]
    return [] if copies and not inside and on_a_line(slice_hu, count) else copies


def _shifted(hu: NDArray[np.int16], pixels: Floats) -> NDArray[np.int16]:
    """Shift a slice down and across by linear interpolation, repeating its edges.

    Whole pixels would not do: half a pixel changes a slice as much as thin neighbours differ.
    """
    moved = hu.astype(np.float32)
    for axis, (shift, count) in enumerate(zip(pixels, hu.shape, strict=True)):
        whole = int(np.floor(shift))
        near, far = (
            moved.take(np.arange(count) - step, axis, mode="clip") for step in (whole, whole + 1)
        )
        moved = near + np.float32(shift - whole) * (far - near)
    return np.rint(moved).astype(np.int16)


def _along_body(stack: Stack) -> bool:
    return bool(np.abs(stack.axes[0]).argmax() == 2)


def _named(objection: Objection, keys: list[str]) -> str:
    first, last = objection.first, objection.last
    if first == last:
        return f"{keys[first]} {objection.found}"
    link = "and" if last == first + 1 or "same pixels" in objection.found else "to"
    return f"the slices {keys[first]} {link} {keys[last]} {objection.found}"


def _position(stack: Stack, k: int) -> Triple:
    """Return the ImagePositionPatient of a slice."""
    place = np.array([stack.heights[k], 0.0, 0.0])
    if stack.shifts_mm is not None:
        place[1:] = stack.shifts_mm[k]
    return triple(np.round(np.array(stack.origin_mm) + place @ stack.axes, 3))
