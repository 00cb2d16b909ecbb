"""Check the geometry of slices and sort them into a stack, with repairs or refusal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import InconsistentSlices, ObliqueSlices, TooShort
from lungprep.image.series.gaps import check_gaps
from lungprep.image.series.geometry import Floats, Stack, canonical_layout
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.shifts import check_shifts
from lungprep.image.volume import POSITION_TOLERANCE_MM, triple

# Bounds of the distance between pixels and between slices, far beyond what scanners can make.
SPACING_MM = (0.01, 100.0)
# Bounds of a scan's field and length: bores are less than 1 m wide, and tables move 2.3 m.
WIDEST_MM, LONGEST_MM = 2000.0, 3000.0
# Bound of any coordinate: a position further away can't be in the room.
FARTHEST_MM = 1e6


@dataclass(frozen=True)
class Planes:
    """Image planes of n slices, according to their headers (PS3.3 C.7.6.2).

    Attributes
    ----------
    keys : list of str
        Names, for messages.
    positions : ndarray of float64, shape (n, 3)
        ImagePositionPatient, mm.
    orientations : ndarray of float64, shape (n, 6)
        ImageOrientationPatient: directions in which columns, then rows, follow.
    spacings : ndarray of float64, shape (n, 2)
        PixelSpacing: distance between rows, then columns, mm.
    shapes : ndarray of int, shape (n, 2)
        Rows and Columns.
    """

    keys: list[str]
    positions: Floats
    orientations: Floats
    spacings: Floats
    shapes: NDArray[np.int64]

    def take(self, order: list[int]) -> "Planes":
        """Return the planes of some slices, in the given order."""
        return Planes(
            [self.keys[i] for i in order],
            self.positions[order],
            self.orientations[order],
            self.spacings[order],
            self.shapes[order],
        )


def axes_of(planes: Planes) -> Floats:
    """Return the common axes of parallel planes of equal size and spacing.

    Returns
    -------
    ndarray of float64, shape (3, 3)
        Orthonormal rows: the normal, the direction down the rows, and the direction along a row.

    Raises
    ------
    InconsistentSlices
        If size, spacing or orientation differ or are invalid.
    """
    shapes, spacings, keys = planes.shapes, planes.spacings, planes.keys
    _check_within("Rows x Columns", shapes, (1, np.inf), keys)
    _check_within("PixelSpacing", spacings, SPACING_MM, keys)
    _check_within("ImagePositionPatient", planes.positions, (-FARTHEST_MM, FARTHEST_MM), keys)
    _check_alike("Rows x Columns", shapes, 0, keys)
    # Differences below these limits move no pixel of the field by more than the tolerance.
    pixels = max(1, int(shapes[0].max()))
    field_mm = max(1.0, float((shapes[0] * spacings[0]).max()))
    _check_alike("PixelSpacing", spacings, POSITION_TOLERANCE_MM / pixels, keys)
    _check_alike(
        "ImageOrientationPatient", planes.orientations, POSITION_TOLERANCE_MM / field_mm, keys
    )
    if field_mm > WIDEST_MM:
        raise InconsistentSlices(
            f"the slices are {field_mm:.0f} mm wide, which no scanner makes",
            "export the series again",
        )
    column_axis, row_axis = _plane_axes(planes.orientations[0], keys[0])
    return np.stack([np.cross(column_axis, row_axis), row_axis, column_axis])


def stack_planes(
    planes: Planes, axes: Floats, options: LoadOptions
) -> tuple[Stack, dict[str, float]]:
    """Stack slices at different heights.

    Parameters
    ----------
    planes : Planes
        Planes in order of height along ``axes[0]``.
    axes : ndarray of float64, shape (3, 3)
        Axes from `axes_of`.
    options : LoadOptions
        Policy for defects.

    Returns
    -------
    stack : Stack
        Geometry of the slices.
    flags : dict of str to float
        Repairs, done or still to be done, each with its measure.

    Raises
    ------
    MissingSlices, UnevenGaps, TiltedGantry, ShiftedSlices, ObliqueSlices, TooShort
        If the slices do not form a stack and the options do not allow a repair.
    """
    places = planes.positions @ axes.T
    gaps = check_gaps(places[:, 0], planes.keys, options)
    common, shifts, shift_flags = check_shifts(places[:, 0], places[:, 1:], options)
    (rows, columns), (row_gap, column_gap) = planes.shapes[0], planes.spacings[0]
    stack = Stack(
        shape=(len(planes.keys), int(rows), int(columns)),
        spacing_mm=(gaps.usual_mm, float(row_gap), float(column_gap)),
        origin_mm=triple(np.round(np.array([gaps.start_mm, *common]) @ axes, 6)),
        axes=axes,
        heights_mm=gaps.positions_mm,
        shifts_mm=shifts,
    )
    if stack.length_mm < options.min_length_mm:
        raise TooShort(
            f"the {len(planes.keys)} slices cover {stack.length_mm:.1f} mm, less than "
            f"load.min_length_mm ({options.min_length_mm:g})",
            "check that the upload is complete, or lower load.min_length_mm",
        )
    _check_reach(stack)
    return stack, {**gaps.flags, **shift_flags, **_obliquity(stack, options)}


def _check_reach(stack: Stack) -> None:
    """Refuse slices so far apart that resampling them would fill the memory."""
    gap_mm = float(np.diff(stack.heights, append=stack.length_mm).max())
    if gap_mm > SPACING_MM[1]:
        found = f"slices lie {gap_mm:.0f} mm apart"
    elif stack.length_mm > LONGEST_MM:
        found = f"the {stack.shape[0]} slices cover {stack.length_mm:.0f} mm"
    else:
        return
    raise InconsistentSlices(f"{found}, which no scanner makes", "export the series again")


def _obliquity(stack: Stack, options: LoadOptions) -> dict[str, float]:
    grid = canonical_layout(stack).grid
    if not grid.is_oblique:
        return {}
    cosines = np.diagonal(np.array(grid.direction))
    angle = float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())
    if angle > options.max_oblique_deg:
        raise ObliqueSlices(
            f"the slices are turned by {angle:.1f} degrees from the patient's axes",
            f"supply an axial series, or raise load.max_oblique_deg ({options.max_oblique_deg:g})",
        )
    return {"oblique_resliced": round(angle, 2)}


def _check_within(
    keyword: str, values: NDArray[np.generic], bounds: tuple[float, float], keys: list[str]
) -> None:
    numbers = np.asarray(values, float)
    outside = ((numbers < bounds[0]) | (numbers > bounds[1])).any(1)
    if outside.any():
        first = int(outside.argmax())
        raise InconsistentSlices(
            f"{keyword} of {keys[first]} is {values[first].tolist()}, which no scanner makes",
            "export the series again",
        )


def _check_alike(
    keyword: str, values: NDArray[np.generic], tolerance: float, keys: list[str]
) -> None:
    differs = (np.abs(np.asarray(values, float) - np.asarray(values[0], float)) > tolerance).any(1)
    if differs.any():
        first = int(differs.argmax())
        raise InconsistentSlices(
            f"{keyword} is {values[0].tolist()} in {keys[0]} and {values[first].tolist()} in "
            f"{keys[first]}",
            "split the series into volumes and name one in the cohort file",
        )


def _plane_axes(orientation: Floats, key: str) -> tuple[Floats, Floats]:
    column_axis, row_axis = orientation[:3], orientation[3:]
    lengths = np.linalg.norm([column_axis, row_axis], axis=1)
    if np.abs(lengths - 1).max() > 0.01 or abs(column_axis @ row_axis) > 0.001:
        raise InconsistentSlices(
            f"ImageOrientationPatient of {key} is {orientation.tolist()}, not a pair of "
            "perpendicular unit vectors",
            "export the series again",
        )
    column_axis = column_axis / lengths[0]
    row_axis = row_axis - (row_axis @ column_axis) * column_axis
    return column_axis, row_axis / np.linalg.norm(row_axis)
