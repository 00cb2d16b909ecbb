"""Decode the chosen slices into one array."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.plausibility import disagree, doubts
from lungprep.image.hounsfield.rescale import believes_padding, slice_hu
from lungprep.image.series.blanks import without_blanks
from lungprep.image.series.candidates import Candidate
from lungprep.image.series.geometry import Layout, canonical_layout
from lungprep.image.series.neighbours import Look, Stray, check_neighbours
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import Volume

SCALE = ("RescaleSlope", "RescaleIntercept", "PixelRepresentation")


@dataclass(frozen=True)
class Assembled:
    """A volume, with the findings of its decoding.

    Attributes
    ----------
    volume : Volume
        int16 HU, C order, (z, y, x) towards the head, the back and the patient's left.
    flags : dict of str to float
        Flags, each with the largest measure of all slices.
    strays : list of Stray
        Slices that may not belong to the volume.
    """

    volume: Volume
    flags: dict[str, float] = field(default_factory=dict)
    strays: list[Stray] = field(default_factory=list)


def assemble(candidate: Candidate, options: LoadOptions) -> Assembled:
    """Decode slices into a volume in canonical axes, and compare each with its neighbours.

    Parameters
    ----------
    candidate : Candidate
        The chosen slices. Each is removed from the list once decoded, so that encoded and decoded
        pixels are not in memory at the same time; the list is empty afterwards.
    options : LoadOptions
        Assumptions, repairs and refusals.

    Returns
    -------
    Assembled
        The volume, its flags, and its stray slices.

    Raises
    ------
    DataError
        If a slice can't be decoded, lacks its rescale tags, is blank or does not belong.
    """
    stack, slices = candidate.stack, candidate.slices
    layout = canonical_layout(stack)
    hu = np.empty(layout.grid.shape, dtype=np.int16)
    # A view in the order of acquisition: slice k, written into it, gets its canonical place.
    acquired = np.flip(hu, layout.flips).transpose(np.argsort(layout.axes))
    flags: dict[str, float] = {}
    scales = [tuple(slice_.text(keyword) for keyword in SCALE) for slice_ in slices]
    changes = [k for k in range(1, len(scales)) if scales[k] != scales[k - 1]]
    look = Look([slice_.key for slice_ in slices])
    believed = believes_padding(slices)
    slices.reverse()
    for k in range(stack.shape[0]):
        acquired[k], found = slice_hu(
            slices.pop(), assume_hu=options.assume_hu, padding_is_believed=believed
        )
        look.add(acquired[k], stack)
        for name, measure in found.items():
            flags[name] = max(measure, flags.get(name, 0))
    suspicions = doubts(hu) or (["implausible_hu"] if disagree(acquired, changes) else [])
    flags |= dict.fromkeys(suspicions, 1.0)
    kept = look.with_content(stack)
    if not kept.all():
        stack, blanks = without_blanks(stack, kept, look.keys, options)
        flags |= blanks
        hu, acquired = _compacted(hu, acquired, kept, layout)
        look, layout = look.take(kept), canonical_layout(stack)
    strays = check_neighbours(look, stack, lambda k: acquired[k], options, plausible=not suspicions)
    if strays:
        flags["stray_slices"] = len(strays)
    return Assembled(Volume(hu, layout.grid, layout.slicing), flags, strays)


def _compacted(
    hu: NDArray[np.int16], acquired: NDArray[np.int16], kept: NDArray[np.bool_], layout: Layout
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Move the kept slices together, in place.

    Returns
    -------
    hu : ndarray of int16
        The canonical array, without the gaps.
    acquired : ndarray of int16
        The same in the order of acquisition, as a view.
    """
    places = np.flatnonzero(kept)
    for place, k in enumerate(places):
        if place != k:
            acquired[place] = acquired[k]
    axis = layout.axes.index(0)
    first = len(kept) - len(places) if axis in layout.flips else 0
    window = [slice(None)] * 3
    window[axis] = slice(first, first + len(places))
    return hu[tuple(window)], acquired[: len(places)]
