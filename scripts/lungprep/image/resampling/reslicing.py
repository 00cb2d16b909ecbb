"""Interpolate oblique or shifted slices onto a grid along other axes, tile by tile."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MAX, HU_MIN
from lungprep.image.resampling.axes import Axis
from lungprep.image.resampling.boxes import Scan
from lungprep.image.resampling.grids import slice_shifts
from lungprep.image.resampling.kernels import CARDINAL_HALF_WIDTH, Floats
from lungprep.image.resampling.scattered import evaluate
from lungprep.image.volume import Grid, Volume

Tile = tuple[slice, slice, slice]

# Voxels of a tile along z, y and x: an array of float64 takes half a megabyte.
TILE = (32, 32, 64)
# If the new grid is much coarser, a tile needs a large box of samples. Tiles are made smaller until
# their box has at most MAX_BOX samples (16 MB of float32), but no side gets shorter than MIN_SIDE.
MAX_BOX = 2**22
MIN_SIDE = 8


def reslice(
    volume: Volume, grid: Grid, axes: Sequence[Axis], steps: Floats, first: Floats
) -> NDArray[np.int16]:
    """Interpolate a scan at all points of a grid.

    Parameters
    ----------
    volume : Volume
        The scan: int16 HU, (z, y, x).
    grid : Grid
        The grid of the result.
    axes : sequence of Axis
        Samples and kernel along each array axis of the scan, (z, y, x).
    steps : ndarray of float64, shape (3, 3)
        Column b is the step in the scan's array index (z, y, x) when the result's index b grows
        by one.
    first : ndarray of float64, shape (3,)
        Array index in the scan of the result's voxel [0, 0, 0].

    Returns
    -------
    ndarray of int16
        HU, shape ``grid.shape``, rounded half to even, clipped to [-1024, 3071]; -1024 for voxels
        outside the scan (`scattered.evaluate`).
    """
    scan = Scan(
        hu=np.asarray(volume.hu),
        axes=axes,
        slices=0 if volume.slicing is None else volume.slicing.axis,
        shifts=slice_shifts(volume.grid, volume.slicing),
    )
    # Axes count as parallel if they diverge by less than a millionth of a sample over the grid.
    steps = np.where(np.abs(steps) * grid.shape < 1e-6, 0, steps)
    out = np.empty(grid.shape, dtype=np.int16)
    for tile in _tiles(grid.shape, _tile_shape(axes, steps)):
        points = [first[a] + _indices(tile, a, steps[a]) for a in range(3)]
        values = evaluate(scan, points)
        out[tile] = HU_MIN if values is None else np.clip(np.rint(values), HU_MIN, HU_MAX)
    return out


def _indices(tile: Tile, axis: int, steps: Floats) -> Floats:
    """Return the places of a tile's voxels along one axis of the scan.

    The array has size one along the axes of the tile on which the places do not depend.
    """
    places = np.zeros((1, 1, 1))
    for b in range(3):
        if b == axis or steps[b] != 0:
            shape = [1, 1, 1]
            shape[b] = -1
            places = places + steps[b] * np.arange(tile[b].start, tile[b].stop).reshape(shape)
    return places


def _tiles(shape: tuple[int, int, int], tile: tuple[int, ...]) -> Iterator[Tile]:
    starts = (range(0, n, t) for n, t in zip(shape, tile, strict=True))
    for corner in itertools.product(*starts):
        z, y, x = (slice(a, min(a + t, n)) for a, t, n in zip(corner, tile, shape, strict=True))
        yield z, y, x


def _tile_shape(axes: Sequence[Axis], steps: Floats) -> tuple[int, ...]:
    """Halve the longest side of a tile until its box of samples is small enough."""
    shape = np.array(TILE)
    margin = np.array([2 * _reach(axis) for axis in axes])
    sizes = [axis.size for axis in axes]
    while shape.max() > MIN_SIDE:
        if np.prod(np.minimum(np.abs(steps) @ shape + margin, sizes)) <= MAX_BOX:
            break
        shape[shape.argmax()] //= 2
    return tuple(int(n) for n in shape)


def _reach(axis: Axis) -> float:
    """Return how far a point's samples reach, including those behind its coefficients, samples."""
    if axis.interpolation == "cubic":
        return CARDINAL_HALF_WIDTH * (axis.stretch + 1)
    return axis.stretch
