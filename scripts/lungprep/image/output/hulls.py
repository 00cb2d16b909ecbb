"""Convex hulls of the slices of a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
# Tolerance for rounding errors: pixels on the edge of the hull belong to it.
_SLACK = 1e-9


def fill_hulls(mask: Mask, growth: float) -> Mask:
    """Fill each axial slice of a mask to its convex hull.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x).
    growth : float
        Largest ratio of hull to mask, pixels; a slice with a larger hull keeps its mask.

    Returns
    -------
    ndarray of bool
        A new array.
    """
    filled = mask.copy()
    for z in np.flatnonzero(mask.any(axis=(1, 2))):
        hull = convex_hull(mask[z])
        if np.count_nonzero(hull) <= growth * np.count_nonzero(mask[z]):
            filled[z] = hull
    return filled


def convex_hull(slice_: Mask) -> Mask:
    """Mark the pixels whose centres lie in the convex hull of a slice.

    The hull encloses the midpoints of the pixels' edges, as in ``skimage.morphology``. In units of
    half a pixel these midpoints have whole coordinates.

    Parameters
    ----------
    slice_ : ndarray of bool
        At least one pixel is True; axes (y, x).

    Returns
    -------
    ndarray of bool
        A new array.
    """
    rows = np.flatnonzero(slice_.any(axis=1))
    first = slice_[rows].argmax(axis=1)
    last = slice_.shape[1] - 1 - slice_[rows, ::-1].argmax(axis=1)
    x, y = 2 * np.concatenate([first, last]), 2 * np.concatenate([rows, rows])
    outward = np.repeat([-1, 1], rows.size)
    points = np.stack(
        [np.concatenate([x + outward, x, x]), np.concatenate([y, y - 1, y + 1])], axis=1
    )
    corners = cv2.convexHull(points.astype(np.int32))[:, 0].astype(np.float64)
    crossed = np.arange(rows[0], rows[-1] + 1)
    left, right = _crossings(corners, 2.0 * crossed)
    columns = np.arange(slice_.shape[1])
    hull = np.zeros_like(slice_)
    hull[crossed] = (2 * columns >= left[:, None] - _SLACK) & (
        2 * columns <= right[:, None] + _SLACK
    )
    return hull


def _crossings(
    corners: NDArray[np.float64], heights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and greatest x of a convex polygon, corners (x, y), at given heights y."""
    rising = np.roll(corners, -1, axis=0)
    edges = np.stack([corners, rising])[:, corners[:, 1] != rising[:, 1]]
    (x0, y0), (x1, y1) = edges[0].T, edges[1].T
    y = heights[:, None]
    x = x0 + (y - y0) * ((x1 - x0) / (y1 - y0))
    on_edge = (y >= np.minimum(y0, y1)) & (y <= np.maximum(y0, y1))
    return np.where(on_edge, x, np.inf).min(axis=1), np.where(on_edge, x, -np.inf).max(axis=1)
