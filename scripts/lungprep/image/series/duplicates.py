"""Slices at one position: copies, or a conflict."""

import numpy as np

from lungprep.errors import DuplicatePositions
from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep.image.series.geometry import Floats
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.stacking import Planes
from lungprep.image.volume import POSITION_TOLERANCE_MM

# Slices closer than this are at one position.
SAME_HEIGHT_MM = 0.01


def without_duplicates(
    slices: list[Slice], planes: Planes, axes: Floats, options: LoadOptions
) -> list[int]:
    """Leave out slices that repeat another slice at the same position, pixel by pixel.

    Parameters
    ----------
    slices : list of Slice
        Slices sorted along the normal.
    planes : Planes
        Planes of the slices.
    axes : ndarray of float64, shape (3, 3)
        Axes from `axes_of`.
    options : LoadOptions
        Policy that says whether HU may be assumed.

    Returns
    -------
    list of int
        Indices of the slices to keep.

    Raises
    ------
    DuplicatePositions
        If slices at one position differ.
    """
    places = planes.positions @ axes.T
    kept = [0]
    for k in range(1, len(slices)):
        first = kept[-1]
        if places[k, 0] - places[first, 0] >= SAME_HEIGHT_MM:
            kept.append(k)
            continue
        aside = np.abs(places[k] - places[first]).max() > POSITION_TOLERANCE_MM
        if aside or not _same_pixels(slices[first], slices[k], options):
            near = np.diff(places[:, 0]) < SAME_HEIGHT_MM
            same = int((np.append(near, False) | np.append(False, near)).sum())
            raise DuplicatePositions(
                f"{same} slices share a position with another and differ from it, such as "
                f"{slices[first].key} and {slices[k].key} at {places[k, 0]:.2f} mm",
                "keep one slice for each position under the prefix",
            )
    return kept


def _same_pixels(one: Slice, other: Slice, options: LoadOptions) -> bool:
    (a, _), (b, _) = (slice_hu(s, assume_hu=options.assume_hu) for s in (one, other))
    return bool(np.array_equal(a, b))
