"""From a scan as it was acquired to a volume of the wanted spacing."""

import logging

import numpy as np

from lungprep.resampling.axes import read_axis
from lungprep.resampling.grids import is_shifted, sample_places, target_grid
from lungprep.resampling.kernels import Interpolation
from lungprep.resampling.reslicing import reslice
from lungprep.resampling.separable import resample_axes
from lungprep.volume import Triple, Volume

logger = logging.getLogger(__name__)


def resample(
    volume: Volume,
    spacing_mm: Triple,
    *,
    interpolation: Interpolation = "linear",
    antialias: bool = True,
) -> Volume:
    """Interpolate a volume, once, onto a grid of exactly the given spacing.

    Slices keep their true places: uneven ones are interpolated between their true neighbours,
    shifted ones each in its own plane. A scan whose axes are turned against the patient's by more
    than rounding is resliced: the result's direction is then the identity.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    spacing_mm : tuple of float
        New distance between voxel centres, (z, y, x).
    interpolation : {"linear", "cubic", "nearest"}
        Kernel: triangle; cubic B-spline through the samples; nearest centre, of two the one with
        the higher index. Along uneven slices cubic is linear.
    antialias : bool
        Where an axis gets coarser, widen the kernel to the new spacing, so that detail finer than
        the new grid is averaged and not aliased (as ``antialias=True`` in Pillow and PyTorch); not
        for nearest.

    Returns
    -------
    Volume
        int16 HU, rounded half to even, clipped to [-1024, 3071]. Up to half a voxel beyond the
        outermost centres the linear kernel repeats the border value and the spline mirrors the
        samples. Voxels that lie further out, where a resliced box has corners, are -1024.

    Raises
    ------
    GridTooLarge
        Where the result would have more than 2^32 voxels (8 GB).

    See Also
    --------
    target_grid : where the new voxels lie.
    lungprep.resampling.taps.taps : the weights.
    """
    grid = target_grid(volume.grid, spacing_mm, volume.slicing)
    # Index into the scan = steps @ index into the result + first, both (z, y, x).
    affine = np.linalg.inv(volume.grid.affine) @ grid.affine
    steps, first = affine[2::-1, 2::-1], affine[2::-1, 3]
    axes = [
        read_axis(
            sample_places(volume.grid, volume.slicing, a),
            float(np.linalg.norm(steps[a])),
            interpolation,
            antialias,
        )
        for a in range(3)
    ]
    if volume.grid.is_oblique or is_shifted(volume.slicing):
        logger.info("resliced%s", _reason(volume))
        return Volume(reslice(volume, grid, axes, steps, first), grid)
    centres = [first[a] + steps[a, a] * np.arange(grid.shape[a]) for a in range(3)]
    return Volume(resample_axes(volume.hu, axes, centres), grid)


def _reason(volume: Volume) -> str:
    shifts = 0.0 if volume.slicing is None else float(np.abs(volume.slicing.shifts_mm).max())
    aside = f"slices lie up to {shifts:.2f} mm aside"
    if not volume.grid.is_oblique:
        return f": {aside}"
    skew = f"those of the scan lead a corner {volume.grid.skew_mm:.2f} mm off"
    return f" onto the patient's axes: {skew}{f', {aside}' if shifts else ''}"
