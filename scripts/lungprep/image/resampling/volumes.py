"""From a scan as acquired to a volume of the given spacing."""

import logging

import numpy as np

from lungprep.image.resampling.axes import read_axis
from lungprep.image.resampling.grids import is_shifted, sample_places, target_grid
from lungprep.image.resampling.kernels import Interpolation
from lungprep.image.resampling.reslicing import reslice
from lungprep.image.resampling.separable import resample_axes
from lungprep.image.volume import Triple, Volume

logger = logging.getLogger(__name__)


def resample(
    volume: Volume,
    spacing_mm: Triple,
    *,
    interpolation: Interpolation = "linear",
    antialias: bool = True,
) -> Volume:
    """Interpolate a volume, once, onto a grid of exactly the given spacing.

    Slices keep their true positions: uneven slices are interpolated between their true neighbours,
    and each shifted slice in its own plane. A scan whose axes are oblique to the patient's by more
    than rounding is resliced, and the result's direction is then the identity.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    spacing_mm : tuple of float
        New distance between voxel centres, (z, y, x).
    interpolation : {"linear", "cubic", "nearest"}
        Kernel: triangle; cubic B-spline through the samples; nearest centre, in a tie the one with
        the higher index. Cubic becomes linear along uneven slices.
    antialias : bool
        If an axis gets coarser, widen the kernel to the new spacing, so that detail finer than the
        new grid is averaged instead of aliased (like ``antialias=True`` in Pillow and PyTorch).
        Nearest ignores it.

    Returns
    -------
    Volume
        int16 HU, rounded half to even, clipped to [-1024, 3071]. Up to half a voxel beyond the
        outermost centres, the linear kernel repeats the border value and the spline mirrors the
        samples. Voxels further out, in the corners of a resliced box, are -1024.

    Raises
    ------
    GridTooLarge
        If the result would have more than 2^32 voxels (8 GB).

    See Also
    --------
    target_grid : positions of the new voxels.
    lungprep.image.resampling.taps.taps : weights of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from lungprep.image.volume import Grid
    >>> hu = np.array([[[-1000, -1000, 40, 40]]], dtype=np.int16)
    >>> volume = Volume(hu, Grid(hu.shape, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
    >>> resample(volume, (1.0, 1.0, 0.5)).hu
    array([[[-1000, -1000, -1000,  -740,  -220,    40,    40,    40]]],
          dtype=int16)
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
    aside = f"slices are shifted by up to {shifts:.2f} mm"
    if not volume.grid.is_oblique:
        return f": {aside}"
    skew = f"the scan's own axes place a corner {volume.grid.skew_mm:.2f} mm off"
    return f" onto the patient's axes: {skew}{f', {aside}' if shifts else ''}"
