"""Circles of padding that no tag declares (PS3.3 C.7.5.1.1.2 says how they should be)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lungprep.hounsfield.scale import Stored

# Noise leaves no air above this in four corners at once.
HIGHEST_AIR_HU = -950
# Side of the squares in the corners that hold nothing else, as a share of the field's.
CORNER = 1 / 32
# Padding is a value that tissue hardly has: at most this share of what is well inside the circle.
WIDESPREAD = 0.1
INNER = 0.8


def undeclared_padding(stored: Stored, hu: NDArray[np.int16]) -> NDArray[np.bool_] | None:
    """Find the pixels outside a circular field that hold one value, denser than air.

    Scanners measure within a circle, which may be larger than the one inscribed in the field, or
    lie off its centre: only the corners are sure to be outside. Some exporters fill what lies
    outside with 0, or with another value that becomes water or bone by the rescale, and don't
    declare it as padding.

    Parameters
    ----------
    stored : ndarray
        Stored values, shape (rows, columns).
    hu : ndarray
        Their HU, with declared padding as air.

    Returns
    -------
    ndarray of bool or None
        The padding, reaching inwards from the left and right border of each row as far as its
        value does: a circle may be smaller than the field. None where there is no such padding.
    """
    value = stored[0, 0]
    corners = stored[0, -1], stored[-1, 0], stored[-1, -1]
    if hu[0, 0] <= HIGHEST_AIR_HU or any(corner != value for corner in corners):
        return None
    same = stored == value
    rows, columns = (max(2, round(CORNER * length)) for length in stored.shape)
    squares = (
        same[y, x]
        for y in (slice(rows), slice(-rows, None))
        for x in (slice(columns), slice(-columns, None))
    )
    inside = same[squared_radius(*stored.shape) < INNER**2]
    if not all(square.all() for square in squares):
        return None
    if np.count_nonzero(inside) > WIDESPREAD * inside.size:
        return None
    padding = np.logical_and.accumulate(same, axis=1)
    padding |= np.logical_and.accumulate(same[:, ::-1], axis=1)[:, ::-1]
    return padding


@lru_cache(maxsize=4)
def squared_radius(rows: int, columns: int) -> NDArray[np.float64]:
    """Distance from the centre, squared; 1 is a pixel outside the circle inscribed in the field."""
    row, column = np.ogrid[:rows, :columns]
    squared = (row - (rows - 1) / 2) ** 2 + (column - (columns - 1) / 2) ** 2
    radii: NDArray[np.float64] = squared / (min(rows, columns) / 2 + 1) ** 2
    return radii
