"""Interpolation onto a grid of another spacing.

Each axis is one banded matrix of weights, so that any spacing, the cubic kernel and anti-aliasing
are the same few matrix products, voxel centres stay where they are, and no volume is ever held in
floating point: a slab of output slices at a time is worked out in float32 and rounded.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import GridTooLarge
from lungprep.hu import HU_MAX, HU_MIN
from lungprep.volume import Grid, Triple, Volume

Interpolation = Literal["linear", "cubic", "nearest"]
Floats = NDArray[np.float32]

# Rows of weights multiplied at once: the band of a taller block is mostly zeros, a lower one
# leaves the matrix product too small to be fast.
BLOCK = 32
MAX_VOXELS = 2**32
HALF_WIDTH = {"linear": 1.0, "cubic": 2.0}


@dataclass(frozen=True)
class Block:
    """Weights of some consecutive outputs: ``out[rows] = weights @ samples[columns]``."""

    rows: slice
    columns: slice
    weights: Floats


def resample(
    volume: Volume,
    spacing_mm: Triple,
    *,
    interpolation: Interpolation = "linear",
    antialias: bool = True,
) -> Volume:
    """Interpolate a volume onto a grid of exactly the given spacing.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    spacing_mm : tuple of float
        New distance between voxel centres, (z, y, x).
    interpolation : {"linear", "cubic", "nearest"}
        Kernel: triangle; cubic convolution with a = -1/2 (Keys 1981); nearest centre.
    antialias : bool
        Where an axis gets coarser, widen the kernel to the new spacing, so that detail finer than
        the new grid is averaged and not aliased (as ``antialias=True`` in Pillow and PyTorch).

    Returns
    -------
    Volume
        int16 HU, rounded half to even, clipped to [-1024, 3071].

    Raises
    ------
    GridTooLarge
        Where the result would have more than 2^32 voxels (8 GB).

    See Also
    --------
    target_grid : where the new voxels lie.
    """
    grid = target_grid(volume.grid, spacing_mm)
    if np.prod(grid.shape, dtype=float) > MAX_VOXELS:
        raise GridTooLarge(
            f"a grid of {' x '.join(f'{s:g}' for s in grid.spacing_mm)} mm would have "
            f"{' x '.join(str(n) for n in grid.shape)} voxels",
            "choose a coarser resample.spacing_mm",
        )
    along_z, along_y, along_x = (
        banded_weights(n, old, m, new, interpolation, antialias)
        for n, old, m, new in zip(
            volume.grid.shape, volume.grid.spacing_mm, grid.shape, spacing_mm, strict=True
        )
    )
    hu = np.empty(grid.shape, dtype=np.int16)
    for block in along_z:
        samples = volume.hu[block.columns]
        plane = np.empty((len(samples), *grid.shape[1:]), dtype=np.float32)
        for k, slice_ in enumerate(samples):
            plane[k] = _in_plane(slice_.astype(np.float32), along_y, along_x)
        slab = block.weights @ plane.reshape(len(samples), -1)
        np.clip(np.rint(slab, out=slab), HU_MIN, HU_MAX, out=slab)
        hu[block.rows] = slab.reshape(-1, *grid.shape[1:])
    return Volume(hu, grid)


def target_grid(grid: Grid, spacing_mm: Triple) -> Grid:
    """Grid of another spacing over the same box.

    A scan of n voxels of size s fills a box of length n·s. The new grid has round(n·s / s') voxels,
    at least one, of exactly s', centred in that box: it sticks out, or falls short, by at most a
    quarter of a new voxel on either side, and nowhere are end voxels pinned onto one another.

    Parameters
    ----------
    grid : Grid
        The old grid.
    spacing_mm : tuple of float
        New spacing, (z, y, x).
    """
    old = np.array(grid.spacing_mm)
    new = np.array(spacing_mm, dtype=float)
    shape = np.maximum(1, np.rint(grid.shape * old / new)).astype(int)
    first = ((np.array(grid.shape) - 1) * old - (shape - 1) * new) / 2 / old
    z, y, x = (int(n) for n in shape)
    sz, sy, sx = (float(s) for s in new)
    fz, fy, fx = (float(f) for f in first)
    return Grid((z, y, x), (sz, sy, sx), grid.position_mm((fz, fy, fx)), grid.direction)


def banded_weights(
    old_size: int,
    old_spacing: float,
    new_size: int,
    new_spacing: float,
    interpolation: Interpolation,
    antialias: bool,
) -> list[Block]:
    """Weights of one axis, for two grids with a common centre.

    Beyond the outermost centres the kernel is cut off and the rest is scaled to a sum of one; for
    the linear kernel this repeats the border value. A widened kernel is balanced, so that nothing
    moves: as Pillow and PyTorch leave it, its centre of mass is up to 0.05 mm off, to and fro from
    voxel to voxel, because the samples that it covers lie askew.

    Returns
    -------
    list of Block
        float32 weights in blocks of up to 32 outputs, each with the band of inputs that it needs.
    """
    scale = new_spacing / old_spacing
    # Fractional index into the old axis of each new voxel centre.
    centres = (np.arange(new_size) - (new_size - 1) / 2) * scale + (old_size - 1) / 2
    centres = np.clip(centres, 0, old_size - 1) if interpolation == "nearest" else centres
    stretch = max(scale, 1.0) if antialias else 1.0
    reach = stretch * HALF_WIDTH.get(interpolation, 0.5)
    blocks = []
    for start in range(0, new_size, BLOCK):
        rows = slice(start, min(start + BLOCK, new_size))
        low = int(np.clip(np.floor(centres[rows][0] - reach), 0, old_size - 1))
        high = int(np.clip(np.ceil(centres[rows][-1] + reach), 0, old_size - 1)) + 1
        offsets = np.arange(low, high)[None, :] - centres[rows][:, None]
        weights = _kernel(offsets / stretch, interpolation)
        weights = _normalised(weights, offsets)
        if stretch > 1 and interpolation != "nearest":
            whole = (centres[rows] >= reach) & (centres[rows] <= old_size - 1 - reach)
            weights[whole] = _centred(weights[whole], offsets[whole])
        blocks.append(Block(rows, slice(low, high), weights.astype(np.float32)))
    return blocks


def _kernel(x: NDArray[np.float64], interpolation: Interpolation) -> NDArray[np.float64]:
    x = np.abs(x)
    if interpolation == "linear":
        return np.maximum(0, 1 - x)
    if interpolation == "cubic":
        near = (1.5 * x - 2.5) * x * x + 1
        far = ((-0.5 * x + 2.5) * x - 4) * x + 2
        return np.where(x < 1, near, np.where(x < 2, far, 0.0))
    nearest = np.zeros_like(x)
    nearest[np.arange(len(x)), x.argmin(axis=1)] = 1
    return nearest


def _normalised(weights: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale each row to a sum of one; a voxel out of reach of all samples takes the nearest."""
    total = weights.sum(axis=1, keepdims=True)
    lost = total[:, 0] < 1e-6
    weights[lost, np.abs(offsets[lost]).argmin(axis=1)] = 1
    total[lost] = 1
    scaled: NDArray[np.float64] = weights / total
    return scaled


def _centred(weights: NDArray[np.float64], offsets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tilt each row until its first moment vanishes: a linear field is then reproduced exactly."""
    share = np.abs(weights) / np.abs(weights).sum(axis=1, keepdims=True)
    lever = offsets - (share * offsets).sum(axis=1, keepdims=True)
    moment = (weights * offsets).sum(axis=1, keepdims=True)
    spread = (share * lever**2).sum(axis=1, keepdims=True)
    tilted: NDArray[np.float64] = weights - moment / spread * share * lever
    return tilted


def _in_plane(slice_: Floats, along_y: list[Block], along_x: list[Block]) -> Floats:
    """Resample one slice, shape (rows, columns), along both of its axes."""
    tall = np.empty((along_y[-1].rows.stop, slice_.shape[1]), dtype=np.float32)
    for block in along_y:
        np.matmul(block.weights, slice_[block.columns], out=tall[block.rows])
    plane = np.empty((tall.shape[0], along_x[-1].rows.stop), dtype=np.float32)
    for block in along_x:
        plane[:, block.rows] = tall[:, block.columns] @ block.weights.T
    return plane
