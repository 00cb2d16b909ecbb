"""What a lung mask's shape tells without any truth: flat walls, pieces, pockets of gas.

A mask that cuts through tissue of no contrast along the axes of the array has walls that no lung
has.
"""

from typing import NamedTuple

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, uniform_filter

from lungprep.image.segmentation.morphology import bounding_box
from lungprep.image.volume import Grid

_PIECE_ML = 0.05
# A face of the mask through tissue: no edge in the smoothed image, and no air beside it.
_EDGE_HU, _TISSUE_HU = 60, -300
_GAS_HU = -980
_BORDER = 2
_MARGIN_MM = 8.0


class Shape(NamedTuple):
    """Faults of a mask's shape.

    Attributes
    ----------
    wall_cm2 : float
        The greatest connected flat part of its surface that lies along the array's axes in tissue
        without an edge.
    pieces : int
        Pieces beyond one per lung.
    gas_ml : float
        The greatest pocket of pure gas.
    """

    wall_cm2: float = 0.0
    pieces: int = 0
    gas_ml: float = 0.0


#: Of a mask without faults, or of none.
SOUND = Shape()


def shape(hu: NDArray[np.int16], labels: NDArray[np.uint8], grid: Grid) -> Shape:
    """Measure a mask, at about 1 mm as it is published.

    Parameters
    ----------
    hu : ndarray of int16
        Axes (z, y, x).
    labels : ndarray of uint8
        0 outside, 1 right lung, 2 left lung.
    grid : Grid
        Of both.
    """
    if not labels.any():
        return SOUND
    box = bounding_box(labels > 0, _MARGIN_MM, grid.spacing_mm)
    part, near = labels[box], hu[box].astype(np.float32)
    return Shape(
        _wall_cm2(near, part > 0, grid.spacing_mm),
        sum(_further_pieces(part == side, grid.voxel_ml) for side in (1, 2)),
        _gas_ml(near, part > 0, grid.voxel_ml),
    )


def _further_pieces(lung: NDArray[np.bool_], voxel_ml: float) -> int:
    pieces = cc3d.connected_components(lung, connectivity=26)
    sizes = np.sort(np.bincount(pieces.ravel())[1:])[::-1] * voxel_ml
    return int((sizes[1:] > _PIECE_ML).sum())


def _wall_cm2(
    hu: NDArray[np.float32], mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> float:
    smooth = uniform_filter(hu, 3)
    worst = 0.0
    for axis in range(3):
        mm2 = float(np.prod(spacing_mm) / spacing_mm[axis])
        inside, level = np.moveaxis(mask, axis, 0), np.moveaxis(smooth, axis, 0)
        flat = (inside[:-1] != inside[1:]) & (abs(level[:-1] - level[1:]) < _EDGE_HU)
        flat &= np.minimum(level[:-1], level[1:]) > _TISSUE_HU
        for plane in flat[_BORDER:-_BORDER]:
            if np.count_nonzero(plane) * mm2 > 100 * worst:
                faces = cc3d.connected_components(plane, connectivity=4)
                worst = max(worst, float(np.bincount(faces.ravel())[1:].max()) * mm2 / 100)
    return worst


def _gas_ml(hu: NDArray[np.float32], mask: NDArray[np.bool_], voxel_ml: float) -> float:
    pure = binary_erosion(mask & (uniform_filter(hu, 5) < _GAS_HU), iterations=2)
    pieces = cc3d.connected_components(pure, connectivity=6)
    return float(np.bincount(pieces.ravel())[1:].max(initial=0)) * voxel_ml
