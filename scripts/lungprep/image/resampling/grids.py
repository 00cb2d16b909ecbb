"""Positions of the result's voxels."""

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import GridTooLarge
from lungprep.image.volume import IDENTITY, Grid, Slicing, Triple

MAX_VOXELS = 2**32


def target_grid(grid: Grid, spacing_mm: Triple, slicing: Slicing | None = None) -> Grid:
    """Make a grid of another spacing over the box of a scan.

    A scan of n voxels of size s fills a box of length n·s. Uneven slices extend half a usual gap
    beyond the first and the last slice, and shifted slices widen the box by their shifts. The new
    grid has round(length / s') voxels, at least one, of exactly s', and is centred in that box. It
    is longer or shorter than the box by at most half a new voxel, a quarter at each end.
    First and last voxel centres of the two grids need not coincide.

    If the axes are oblique by more than rounding, the box is the smallest box along the patient's
    axes that holds the scan, and the new grid's direction is the identity. length / s' is then
    rounded up, so that no part of the scan is left out.

    Parameters
    ----------
    grid : Grid
        The old grid.
    spacing_mm : tuple of float
        New spacing, (z, y, x).
    slicing : Slicing, optional
        True positions of the slices.

    Returns
    -------
    Grid
        The new grid.

    Raises
    ------
    GridTooLarge
        If the result would have more than 2^32 voxels (8 GB of int16).

    Examples
    --------
    Three slices of 2.5 mm fill 7.5 mm, and become 8 slices of 1 mm around the same centre:

    >>> scan = Grid((3, 512, 512), (2.5, 0.7, 0.7), (-180.0, -180.0, 0.0))
    >>> grid = target_grid(scan, (1.0, 1.0, 1.0))
    >>> grid.shape
    (8, 358, 358)
    >>> grid.spacing_mm
    (1.0, 1.0, 1.0)
    >>> tuple(round(mm, 2) for mm in grid.origin_mm)
    (-179.65, -179.65, -1.0)
    """
    turned = grid.is_oblique
    direction = IDENTITY if turned else grid.direction
    old_axes, new_axes = np.array(grid.direction), np.array(direction)
    corners = field_corners_mm(grid, slicing)[:, ::-1]
    if turned:
        corners = corners @ old_axes.T
    low, high = corners.min(axis=0)[::-1], corners.max(axis=0)[::-1]
    new = np.array(spacing_mm, dtype=float)
    count = (high - low) / new
    # Rounding errors must not add a voxel to a whole number.
    count = np.maximum(1, np.ceil(count - 1e-6) if turned else np.rint(count))
    _check_size(spacing_mm, count)
    first = (low + high) / 2 - (count - 1) / 2 * new
    x, y, z = np.array(grid.origin_mm) + new_axes @ first[::-1]
    nz, ny, nx = (int(n) for n in count)
    sz, sy, sx = (float(s) for s in new)
    return Grid((nz, ny, nx), (sz, sy, sx), (float(x), float(y), float(z)), direction)


def is_shifted(slicing: Slicing | None) -> bool:
    """Whether slices are shifted sideways against each other, so that they must be resliced."""
    return slicing is not None and bool(np.any(slicing.shifts_mm))


def sample_places(grid: Grid, slicing: Slicing | None, axis: int) -> NDArray[np.float64]:
    """Return the places of the samples along an array axis from voxel 0, unit: its spacing."""
    if slicing is not None and slicing.axis == axis:
        return np.array(slicing.positions_mm) / grid.spacing_mm[axis]
    return np.arange(grid.shape[axis], dtype=float)


def slice_shifts(grid: Grid, slicing: Slicing | None) -> NDArray[np.float64]:
    """Return the shift of each slice along the three array axes, in units of their spacing.

    Returns
    -------
    ndarray of float64, shape (slices, 3)
        Zero along the axis of the slices, which is axis 0 if no slicing is given.
    """
    if slicing is None:
        return np.zeros((grid.shape[0], 3))
    shifts = np.insert(np.array(slicing.shifts_mm), slicing.axis, 0.0, axis=1)
    scaled: NDArray[np.float64] = shifts / grid.spacing_mm
    return scaled


def field_corners_mm(grid: Grid, slicing: Slicing | None) -> NDArray[np.float64]:
    """Return the corners of the box that each slice measured, from voxel 0 of the grid.

    A slice extends half a pixel beyond its outermost pixel centres, and half-way to the next slice.
    The first and the last slice extend half a usual gap outwards.

    Returns
    -------
    ndarray of float64, shape (corners, 3)
        Distances along the array axes (z, y, x), mm.
    """
    axis = 0 if slicing is None else slicing.axis
    places = sample_places(grid, slicing, axis)
    edges = np.concatenate([[-0.5], (places[1:] + places[:-1]) / 2, [places[-1] + 0.5]])
    shifts = slice_shifts(grid, slicing)
    low, high = shifts - 0.5, shifts + np.array(grid.shape) - 0.5
    low[:, axis], high[:, axis] = edges[:-1], edges[1:]
    upper = np.indices((2, 2, 2)).reshape(3, 8).T == 1
    corners = np.where(upper, high[:, None], low[:, None]).reshape(-1, 3)
    scaled: NDArray[np.float64] = corners * grid.spacing_mm
    return scaled


def _check_size(spacing_mm: Triple, count: NDArray[np.float64]) -> None:
    if np.prod(count) > MAX_VOXELS:
        raise GridTooLarge(
            f"a grid of {' x '.join(f'{s:g}' for s in spacing_mm)} mm would have "
            f"{' x '.join(f'{n:.0f}' for n in count)} voxels",
            "choose a coarser resample.spacing_mm",
        )
