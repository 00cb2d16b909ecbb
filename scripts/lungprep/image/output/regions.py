"""Choose the voxels around the lungs that a result shows."""

import numpy as np
from numpy.typing import NDArray

from lungprep.image.output.dilation import Mask, Spacing, dilate
from lungprep.image.output.hulls import fill_hulls
from lungprep.image.output.options import ExportOptions


def hidden(
    hu: NDArray[np.int16],
    labels: NDArray[np.uint8],
    spacing_mm: Spacing,
    options: ExportOptions,
) -> Mask:
    """Mark the voxels that become ``outside_hu``.

    Parameters
    ----------
    hu : ndarray of int16
        Axes (z, y, x).
    labels : ndarray of uint8
        Lung labels on the same grid, C order: 0 outside, 1 and 2 the lungs.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    options : ExportOptions
        Options for hulls, dilation and bone.

    Returns
    -------
    ndarray of bool
        Voxels outside the dilated lungs, and bone in the dilated part; never voxels of the lungs.
    """
    lungs = labels > 0
    shown = lungs
    if options.hull:
        shown = fill_hulls(labels == 1, options.hull_growth)
        shown |= fill_hulls(labels == 2, options.hull_growth)
    if options.dilate_mm > 0:
        shown = dilate(shown, options.dilate_mm, spacing_mm, options.dilate_shape)
    if options.bone_hu == "keep":
        return ~shown
    bone = hu > options.bone_hu
    return np.asarray((bone | ~shown) & ~lungs)
