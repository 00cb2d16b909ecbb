"""Labels from the grid of a network back to that of the volume."""

import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling.axes import read_axis
from lungprep.image.resampling.separable import resample_axes
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.volume import Grid

# One lung as a volume: 0 outside, this inside.
_FULL = 1000


def labels_onto(labels: NDArray[np.uint8], coarse: Grid, grid: Grid) -> NDArray[np.uint8]:
    """Interpolate labels, each lung as a linear ramp between the voxel centres.

    A voxel is lung where both lungs together reach one half, of the lung with the larger part; the
    surface is smooth, where the nearest label would leave the steps of the coarse grid.

    Parameters
    ----------
    labels : ndarray of uint8
        Shape ``coarse.shape``, axes (z, y, x): 0 outside, 1 right lung, 2 left lung.
    coarse : Grid
        Where they lie.
    grid : Grid
        Where they are wanted; its axes have the same directions.

    Returns
    -------
    ndarray of uint8
        Shape ``grid.shape``. Beyond the outermost centres of the coarse grid its border goes on.
    """
    affine = np.linalg.inv(coarse.affine) @ grid.affine
    steps, first = affine[2::-1, 2::-1].diagonal(), affine[2::-1, 3]
    axes = [
        read_axis(np.arange(n, dtype=float), float(step), "linear", antialias=False)
        for n, step in zip(coarse.shape, steps, strict=True)
    ]
    centres = [a + s * np.arange(n) for a, s, n in zip(first, steps, grid.shape, strict=True)]
    right, left = (
        resample_axes((labels == side).astype(np.int16) * np.int16(_FULL), axes, centres)
        for side in (RIGHT, LEFT)
    )
    out = np.zeros(grid.shape, np.uint8)
    for slice_, r, le in zip(out, right, left, strict=True):
        slice_[2 * (r + le) >= _FULL] = RIGHT
        slice_[(slice_ > 0) & (le > r)] = LEFT
    return out
