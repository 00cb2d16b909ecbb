"""Sorting slices into a stack, and the checks that they form one."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import (
    DuplicatePositions,
    InconsistentSlices,
    MissingSlices,
    TiltedGantry,
    UnevenGaps,
)
from lungprep.geometry import Floats, Stack
from lungprep.volume import triple

# Positions are often written with one decimal, so each may be off by 0.05 mm.
POSITION_TOLERANCE_MM = 0.06
GAP_TOLERANCE = 0.02


def order_slices(
    keys: list[str],
    positions: Floats,
    orientations: Floats,
    spacings: Floats,
    shapes: NDArray[np.int64],
) -> tuple[list[int], Stack]:
    """Sort slices by the projection of their position on the normal, and check that they stack.

    Parameters
    ----------
    keys : list of str
        Names of the n slices, for messages.
    positions : ndarray, shape (n, 3)
        ImagePositionPatient, mm.
    orientations : ndarray, shape (n, 6)
        ImageOrientationPatient: directions in which columns, then rows, follow.
    spacings : ndarray, shape (n, 2)
        PixelSpacing: distance between rows, then columns, mm.
    shapes : ndarray, shape (n, 2)
        Rows and Columns.

    Returns
    -------
    order : list of int
        Indices of the slices along the normal.
    stack : Stack
        Their common geometry.

    Raises
    ------
    InconsistentSlices, DuplicatePositions, MissingSlices, UnevenGaps, TiltedGantry
        Where they form no equidistant, upright stack.
    """
    _check_alike("Rows x Columns", shapes, 0, keys)
    # What moves no pixel of the field by more than the tolerance.
    pixels = int(shapes[0].max())
    field_mm = max(1.0, float((shapes[0] * spacings[0]).max()))
    _check_alike("PixelSpacing", spacings, POSITION_TOLERANCE_MM / max(1, pixels), keys)
    _check_alike("ImageOrientationPatient", orientations, POSITION_TOLERANCE_MM / field_mm, keys)
    column_axis, row_axis = _plane_axes(orientations[0], keys[0])
    for keyword, values in (("Rows x Columns", shapes[0]), ("PixelSpacing", spacings[0])):
        if (values <= 0).any():
            raise InconsistentSlices(f"{keyword} of {keys[0]} is {values}", "export it again")
    normal = np.cross(column_axis, row_axis)
    heights = positions @ normal
    order = np.argsort(heights, kind="stable")
    gap, start = _check_gaps(heights[order], [keys[i] for i in order])
    shift = _check_upright(positions, normal)
    (rows, columns), (row_gap, column_gap) = shapes[0], spacings[0]
    stack = Stack(
        shape=(len(keys), int(rows), int(columns)),
        spacing_mm=(gap, float(row_gap), float(column_gap)),
        origin_mm=triple(np.round(start * normal + shift, 6)),
        axes=np.stack([normal, row_axis, column_axis]),
    )
    return [int(i) for i in order], stack


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
    if np.abs(lengths - 1).max() > 0.01 or abs(column_axis @ row_axis) > 0.01:
        raise InconsistentSlices(
            f"ImageOrientationPatient of {key} is {orientation.tolist()}, no pair of unit vectors "
            "at a right angle",
            "export the series again",
        )
    column_axis = column_axis / lengths[0]
    row_axis = row_axis - (row_axis @ column_axis) * column_axis
    return column_axis, row_axis / np.linalg.norm(row_axis)


def _check_gaps(heights: Floats, keys: list[str]) -> tuple[float, float]:
    """Common distance of sorted slices and height of the first, mm."""
    gaps = np.diff(heights)
    if gaps.min() < 0.01:
        first = int(gaps.argmin())
        same = int((gaps < 0.01).sum())
        raise DuplicatePositions(
            f"{same + 1} slices share a position with another, such as {keys[first]} and "
            f"{keys[first + 1]} at {heights[first]:.2f} mm",
            "remove the duplicates, or name one series in the cohort file",
        )
    usual = _usual_gap(gaps)
    missing = np.rint(gaps / usual).astype(int) - 1
    tolerance = max(POSITION_TOLERANCE_MM, GAP_TOLERANCE * usual)
    whole = np.abs(gaps - (missing + 1) * usual) <= 2 * tolerance
    if (missing > 0).any() and (missing >= 0).all() and whole.all():
        after = int(missing.argmax())
        raise MissingSlices(
            f"{int(missing.sum())} of {len(heights) + int(missing.sum())} slices are missing, "
            f"such as between {keys[after]} and {keys[after + 1]} ({gaps[after]:.2f} mm apart "
            f"where {usual:.2f} mm is usual)",
            "upload the missing slices",
        )
    numbers = np.arange(len(heights))
    gap, start = (float(v) for v in np.polyfit(numbers, heights, 1))
    off = np.abs(heights - start - gap * numbers).max()
    if off > tolerance:
        raise UnevenGaps(
            f"the gaps between slices run from {gaps.min():.3f} to {gaps.max():.3f} mm",
            "supply a series with even gaps",
        )
    return gap, start


def _usual_gap(gaps: Floats) -> float:
    """Most frequent gap, the smaller one of a tie: with four slices a median may be in between."""
    counts = Counter(np.round(gaps, 1).tolist())
    most = max(counts.values())
    usual = min(gap for gap, count in counts.items() if count == most)
    near = gaps[np.abs(gaps - usual) <= 0.051]
    return float(near.mean())


def _check_upright(positions: Floats, normal: Floats) -> Floats:
    """Common shift of the slices within their plane, mm."""
    sideways = positions - np.outer(positions @ normal, normal)
    common: Floats = sideways.mean(axis=0)
    off = float(np.linalg.norm(sideways - common, axis=1).max())
    if off > POSITION_TOLERANCE_MM:
        raise TiltedGantry(
            f"slices are shifted by up to {2 * off:.2f} mm within their plane along the stack",
            "supply a series without gantry tilt",
        )
    return common
