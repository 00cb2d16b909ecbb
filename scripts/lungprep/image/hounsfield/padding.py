"""Padding around a circular field that no tag declares, against PS3.3 C.7.5.1.1.2."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import Stored

# Noisy air is never above this in all four corners.
HIGHEST_AIR_HU = -950
# Side of the squares in the corners that must be padding, as a fraction of the field's side.
CORNER = 1 / 32
# Tissue rarely has the value of padding: at most this fraction of the pixels within INNER of the
# radius.
WIDESPREAD = 0.1
INNER = 0.8


def undeclared_padding(stored: Stored, hu: NDArray[np.int16]) -> NDArray[np.bool_] | None:
    """Find the pixels outside a circular field that all have one value, denser than air.

    Scanners measure within a circle. It may be larger than the circle inscribed in the field, or
    off its centre, so only the corners are surely outside. Some exporters fill the outside with 0,
    or with another value that the rescale turns into water or bone, and don't declare it as
    padding.

    Parameters
    ----------
    stored : ndarray
        Stored values, shape (rows, columns).
    hu : ndarray
        HU of the same pixels, with declared padding as air.

    Returns
    -------
    ndarray of bool or None
        The padding: in each row, the pixels of its value that are connected to the left or right
        border, since a circle may be smaller than the field. None if there is no such padding.
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
    """Return the squared distance from the centre; 1 is one pixel outside the inscribed circle."""
    row, column = np.ogrid[:rows, :columns]
    squared = (row - (rows - 1) / 2) ** 2 + (column - (columns - 1) / 2) ** 2
    radii: NDArray[np.float64] = squared / (min(rows, columns) / 2 + 1) ** 2
    return radii
