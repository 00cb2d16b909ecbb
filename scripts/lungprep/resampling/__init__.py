"""Interpolation of a scan onto a grid of exactly the wanted spacing.

`volumes` chooses the path. Even or uneven slices along the patient's axes are resampled axis by
axis, each axis a banded matrix of weights (`separable`); slices that are turned or shifted are
evaluated at each new voxel (`reslicing`). Both read the same kernels (`kernels`, `taps`) and hold
no volume in floating point: they work in slabs and tiles of float32 and round to whole HU.
"""

from lungprep.resampling.grids import target_grid
from lungprep.resampling.kernels import Interpolation
from lungprep.resampling.volumes import resample

__all__ = ["Interpolation", "resample", "target_grid"]
