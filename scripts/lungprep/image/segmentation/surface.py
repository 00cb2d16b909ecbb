"""How large a mask's surface is, and how much of it is the border of what was scanned.

Exact in voxel faces: an area that is no estimate of a smooth surface's, but the same for the whole
and for the part at the border.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.morphology import Mask, Spacing


def surface_mm2(labels: NDArray[np.uint8], spacing_mm: Spacing) -> float:
    """Area of the voxel faces that part what is labelled from what is not, the outside included.

    Parameters
    ----------
    labels : ndarray of uint8
        Axes (z, y, x); labels that touch are one.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    """
    dz, dy, dx = spacing_mm
    voxels, pairs_z, pairs_y, pairs_x = 0, 0, 0, 0
    below = np.zeros_like(labels[0])
    for slice_ in labels:
        inside = int(np.count_nonzero(slice_))
        if inside:
            voxels += inside
            pairs_z += cv2.countNonZero(cv2.min(slice_, below))
            pairs_y += int(np.count_nonzero(np.minimum(slice_[1:], slice_[:-1])))
            pairs_x += int(np.count_nonzero(np.minimum(slice_[:, 1:], slice_[:, :-1])))
        below = slice_
    # Each voxel has two faces across an axis; a pair of neighbours hides two.
    pairs = ((pairs_z, dy * dx), (pairs_y, dz * dx), (pairs_x, dz * dy))
    return sum(2 * (voxels - count) * mm2 for count, mm2 in pairs)


def border_mm2(labels: NDArray[np.uint8], padded: Mask, spacing_mm: Spacing) -> float:
    """Area of the voxel faces of what is labelled on the image's edges and beside padding.

    Parameters
    ----------
    labels : ndarray of uint8
        Axes (z, y, x), 0 in `padded`.
    padded : ndarray of bool
        Columns (y, x) outside the field of view.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    """
    dz, dy, dx = spacing_mm
    edges = ((0, dy * dx), (1, dz * dx), (2, dz * dy))
    area = sum(np.count_nonzero(labels.take([0, -1], axis)) * mm2 for axis, mm2 in edges)
    framed = np.pad(padded, 1).astype(np.uint8)
    beside_y = framed[:-2, 1:-1] + framed[2:, 1:-1]
    beside_x = framed[1:-1, :-2] + framed[1:-1, 2:]
    per_voxel = dz * dx * beside_y + dz * dy * beside_x
    rim = (per_voxel > 0) & ~padded
    return float(area + np.count_nonzero(labels[:, rim], axis=0) @ per_voxel[rim])
