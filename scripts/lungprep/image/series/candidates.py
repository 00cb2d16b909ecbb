"""Form the volumes of one series."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lungprep.errors import (
    DataError,
    DuplicatePositions,
    InconsistentSlices,
    ShiftedSlices,
    TooFewSlices,
    UnevenGaps,
)
from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep.image.series.acquisitions import partings
from lungprep.image.series.duplicates import without_duplicates
from lungprep.image.series.geometry import Floats, Stack
from lungprep.image.series.interleaving import belong_together
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.stacking import Planes, axes_of, stack_planes

# Defects that two sound acquisitions in one series cause. Missing slices are not among them:
# otherwise, every second slice of a damaged scan could pass for a coarser scan.
PARTABLE = (DuplicatePositions, InconsistentSlices, ShiftedSlices, UnevenGaps)


@dataclass(frozen=True)
class Candidate:
    """Slices that form a volume.

    Attributes
    ----------
    slices : list of Slice
        Slices in the order of the stack.
    stack : Stack
        Geometry of the slices.
    flags : dict of str to float
        Repairs, each with its measure.
    set_aside : Counter of str
        Number of images of the same series that are not part of the volume, by kind.
    """

    slices: list[Slice]
    stack: Stack
    flags: dict[str, float]
    set_aside: Counter[str]


def candidates(slices: list[Slice], options: LoadOptions) -> list[Candidate]:
    """Form the volumes of a series: one volume of all slices, or one of each acquisition.

    Tags that alternate along an even series split it only if the pixels agree: some scanners
    number the slices of one scan as several acquisitions.

    An acquisition can represent the series only if it reaches as far along its normal as all
    parallel slices of the series in the same frame of reference: half of a scan is not a volume.
    Repairs are tried last, because apparent uneven gaps may be two sound acquisitions.

    Parameters
    ----------
    slices : list of Slice
        All slices of one SeriesInstanceUID.
    options : LoadOptions
        Policy for acceptance and repairs.

    Returns
    -------
    list of Candidate
        The volumes, at least one.

    Raises
    ------
    DataError
        If no part forms a volume; the error describes the fault of the whole series.
    """
    strict = options.without_repairs()
    try:
        whole = _as_volume(slices, strict)
        # Inspiration and expiration may interleave evenly by chance.
        return _interleaved(whole, strict) or [whole]
    except PARTABLE:
        parts = _parts(slices, strict, _height_along_normal(slices))
        if parts:
            return parts
    except DataError:
        pass
    try:
        return [_as_volume(slices, options)]
    except DuplicatePositions as error:
        found = f"{error.found}; no acquisition, phase, number or time separates them into volumes"
        raise DuplicatePositions(found, error.remedy) from error


def planes_of(slices: list[Slice]) -> Planes:
    """Read the image planes of slices.

    Raises
    ------
    MissingTag
        If a header lacks a tag of its image plane.
    """
    return Planes(
        keys=[s.key for s in slices],
        positions=np.array([s.numbers("ImagePositionPatient", 3) for s in slices]),
        orientations=np.array([s.numbers("ImageOrientationPatient", 6) for s in slices]),
        spacings=np.array([s.numbers("PixelSpacing", 2) for s in slices]),
        shapes=np.array([(s.integer("Rows", 0), s.integer("Columns", 0)) for s in slices]),
    )


def _as_volume(slices: list[Slice], options: LoadOptions) -> Candidate:
    _check_count(slices, options)
    # Decode one slice now: a series that can't be decoded must not be preferred to one that can.
    slice_hu(slices[0], assume_hu=options.assume_hu)
    planes = planes_of(slices)
    axes = axes_of(planes)
    heights = planes.positions @ axes[0]
    order = [int(i) for i in np.argsort(heights, kind="stable")]
    kept = without_duplicates([slices[i] for i in order], planes.take(order), axes, options)
    order = [order[k] for k in kept]
    dropped = len(slices) - len(order)
    _check_count([slices[i] for i in order], options, less=" without copies")
    stack, flags = stack_planes(planes.take(order), axes, options)
    if dropped:
        flags = {"duplicates_dropped": dropped, **flags}
    return Candidate([slices[i] for i in order], stack, flags, Counter())


def _check_count(slices: list[Slice], options: LoadOptions, less: str = "") -> None:
    if len(slices) < options.min_slices:
        count = "1 slice" if len(slices) == 1 else f"{len(slices)} slices"
        raise TooFewSlices(
            f"the series has {count}{less} ({slices[0].key}), fewer than load.min_slices "
            f"({options.min_slices})",
            "check that the upload is complete, or lower load.min_slices",
        )


def _height_along_normal(slices: list[Slice]) -> Callable[[Slice], float] | None:
    """Return a function for positions along the common normal, mm; None if there is no normal."""
    try:
        normal = axes_of(planes_of(slices))[0]
    except InconsistentSlices:
        return None
    return _height_along(normal)


def _height_along(normal: Floats) -> Callable[[Slice], float]:
    return lambda slice_: float(np.dot(slice_.numbers("ImagePositionPatient", 3), normal))


def _interleaved(whole: Candidate, options: LoadOptions) -> list[Candidate]:
    """Split an even series into acquisitions if its tags differ and its pixels agree."""
    slices = whole.slices
    for parts in partings(slices, _height_along(whole.stack.axes[0])):
        found = [c for part in parts for c in _part(part, slices, options)]
        if len(found) > 1 and not belong_together([c.slices for c in found], options):
            return found
    return []


def _parts(
    slices: list[Slice], options: LoadOptions, height: Callable[[Slice], float] | None
) -> list[Candidate]:
    for parts in partings(slices, height):
        found = [c for part in parts for c in _part(part, slices, options)]
        if found:
            return found
    return []


def _part(part: list[Slice], whole: list[Slice], options: LoadOptions) -> list[Candidate]:
    try:
        candidate = _as_volume(part, options)
    except DataError:
        return []
    if not _reaches(candidate.stack, part[0].text("FrameOfReferenceUID"), whole):
        return []
    rest = len(whole) - len(part)
    flags = {"acquisitions_separated": rest, **candidate.flags}
    aside = Counter({"another acquisition": rest})
    return [Candidate(candidate.slices, candidate.stack, flags, aside)]


def _reaches(stack: Stack, frame_of_reference: str, whole: list[Slice]) -> bool:
    """Whether a stack reaches as far as all parallel slices in its frame of reference."""
    planes = planes_of(whole)
    normals = np.cross(planes.orientations[:, :3], planes.orientations[:, 3:])
    parallel = np.abs(normals @ stack.axes[0]) > np.cos(np.radians(1))
    frames = np.array([s.text("FrameOfReferenceUID") for s in whole])
    comparable = parallel & (frames == frame_of_reference)
    heights = (planes.positions @ stack.axes[0])[comparable]
    first = float(np.dot(stack.origin_mm, stack.axes[0]))
    slack = 1.5 * stack.spacing_mm[0]
    last = first + float(stack.heights[-1])
    return bool(first - slack <= heights.min() and heights.max() <= last + slack)
