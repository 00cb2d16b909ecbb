"""Interpolation of a scan onto a grid of exactly the given spacing.

`volumes` chooses the method. Even or uneven slices along the patient's axes are resampled axis by
axis, with a banded matrix of weights for each axis (`separable`). Oblique or shifted slices are
evaluated at each new voxel (`reslicing`). Both use the same kernels (`kernels`, `taps`). Neither
holds a whole volume in floating point: they work in slabs and tiles of float32 and round to whole
HU.
"""

from lungprep.image.resampling.grids import target_grid
from lungprep.image.resampling.kernels import Interpolation
from lungprep.image.resampling.volumes import resample

__all__ = ["Interpolation", "resample", "target_grid"]
