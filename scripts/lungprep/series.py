"""From CT slices to one volume: which series, in which order, on which grid."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lungprep.dicom import Slice
from lungprep.errors import DataError, MissingTag, NoCTImages, TooFewSlices
from lungprep.geometry import Stack, canonical_layout
from lungprep.hu import to_hu
from lungprep.pixels import stored_pixels
from lungprep.stacking import order_slices
from lungprep.volume import Volume

EXPORT_AGAIN = "export the series again with its geometry and rescale tags"


@dataclass(frozen=True)
class Choice:
    """The series that becomes the volume, and why not the others.

    Attributes
    ----------
    series_uid : str
        SeriesInstanceUID of the choice.
    slices : list of Slice
        Its slices in the order of the stack.
    stack : Stack
        Its geometry.
    rejected : dict of str to DataError
        What is wrong with each larger series, by its SeriesInstanceUID.
    """

    series_uid: str
    slices: list[Slice]
    stack: Stack
    rejected: dict[str, DataError]


def choose_series(
    slices: Iterable[Slice], *, min_slices: int, series_uid: str | None = None
) -> Choice:
    """Choose the series with most slices that form a volume.

    Parameters
    ----------
    slices : iterable of Slice
        All CT images of the patient, in any order.
    min_slices : int
        Fewer than this are a localizer or a fragment.
    series_uid : str, optional
        Take this series and no other.

    Raises
    ------
    NoCTImages
        If there is no CT image, or none of `series_uid`.
    DataError
        If no series forms a volume: what is wrong with the largest one.
    """
    groups: dict[str, list[Slice]] = defaultdict(list)
    for slice_ in slices:
        if series_uid in (None, slice_.series_uid):
            groups[slice_.series_uid].append(slice_)
    if not groups:
        wanted = f"CT image of series {series_uid}" if series_uid else "CT image"
        raise NoCTImages(f"no {wanted} among the objects", "check the prefix and the cohort file")
    failures: dict[str, DataError] = {}
    for uid, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        try:
            ordered, stack = _as_stack(group, min_slices)
        except DataError as error:
            failures[uid] = error
            continue
        return Choice(uid, ordered, stack, failures)
    largest = next(iter(failures.values()))
    others = len(failures) - 1
    also = f" (the other {others} CT series form no volume either)" if others else ""
    raise type(largest)(largest.found + also, largest.remedy)


def _as_stack(group: list[Slice], min_slices: int) -> tuple[list[Slice], Stack]:
    if len(group) == 1:
        raise TooFewSlices(
            f"series of one slice ({group[0].key})", "check that the upload is complete"
        )
    order, stack = order_slices(
        keys=[s.key for s in group],
        positions=np.array([s.numbers("ImagePositionPatient", 3) for s in group]),
        orientations=np.array([s.numbers("ImageOrientationPatient", 6) for s in group]),
        spacings=np.array([s.numbers("PixelSpacing", 2) for s in group]),
        shapes=np.array([s.numbers("Rows", 1) + s.numbers("Columns", 1) for s in group], dtype=int),
    )
    if len(group) < min_slices:
        raise TooFewSlices(
            f"series of {len(group)} slices, fewer than load.min_slices ({min_slices})",
            "check that the upload is complete, or lower load.min_slices",
        )
    return [group[i] for i in order], stack


def assemble(slices: list[Slice], stack: Stack) -> Volume:
    """Decode slices into a volume in canonical axes.

    Parameters
    ----------
    slices : list of Slice
        In the order of the stack. Each is dropped once decoded, so that compressed and decoded
        pixels are not held at the same time: the list is empty afterwards.
    stack : Stack
        Their geometry.

    Returns
    -------
    Volume
        int16 HU, C order, (z, y, x) towards the head, the back and the patient's left.

    Raises
    ------
    DataError
        Where a slice can't be decoded or lacks its rescale tags.
    """
    grid, axes, flips = canonical_layout(stack)
    hu = np.empty(grid.shape, dtype=np.int16)
    # A view in the order of acquisition: writing slice k into it lands at the canonical place.
    acquired = np.flip(hu, flips).transpose(np.argsort(axes))
    slices.reverse()
    for k in range(stack.shape[0]):
        acquired[k] = slice_hu(slices.pop())
    return Volume(hu, grid)


def slice_hu(slice_: Slice) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """Hounsfield units of one slice, shape (rows, columns), int16.

    Raises
    ------
    MissingTag
        Where RescaleSlope or RescaleIntercept is absent; CT requires both (PS3.3 C.8.2.1).
    """
    (slope,), (intercept,) = (
        slice_.numbers(keyword, 1) for keyword in ("RescaleSlope", "RescaleIntercept")
    )
    if slope == 0:
        raise MissingTag(f"{slice_.key} has RescaleSlope 0", EXPORT_AGAIN)
    padding = None
    if slice_.dataset.get("PixelPaddingValue") is not None:
        value = slice_.integer("PixelPaddingValue", 0)
        padding = (value, slice_.integer("PixelPaddingRangeLimit", value))
    return to_hu(stored_pixels(slice_), slope, intercept, padding)
