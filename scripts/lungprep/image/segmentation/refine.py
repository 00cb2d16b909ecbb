"""From coarse air to the lungs at full resolution: vessels and nodules in, hilum closed.

What is lung is decided on blocks; where it ends is decided voxel by voxel. A lung is rolled over
with a ball from outside, so that vessels, the hilum's notches and small nodules on the pleura
close; only what this adds, and the inside, is taken from the blocks. The rest of the surface is
that of the volume itself: half-way between lung and tissue.
"""

import fill_voids
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks, fine_slice, fine_slices
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import (
    Mask,
    bounding_box,
    close,
    dilate,
    erode,
    spread,
)
from lungprep.image.volume import Volume

# A recess that is thinner than a block still lies within this distance of lung blocks.
_RIM_MM = 4.0
# Nearer to the surface than this, a block doesn't tell lung from tissue; the voxels do.
_BLUR_MM = 2.0


def solid_sides(
    labels: NDArray[np.uint8], barred: Mask, blocks: Blocks, *, closing_mm: float
) -> NDArray[np.uint8]:
    """Lungs with their vessels, nodules and notches filled, on the blocks.

    Parameters
    ----------
    labels : ndarray of uint8
        Aerated lung: 0 elsewhere, 1 right, 2 left; axes (z, y, x).
    barred : ndarray of bool
        Where no lung may be: airways and other air.
    blocks : Blocks
        The coarse volume.
    closing_mm : float
        Radius of the ball.

    Returns
    -------
    ndarray of uint8
        0 elsewhere, 1 right, 2 left.
    """
    solid = labels.copy()
    for side in (RIGHT, LEFT):
        closed = close(labels == side, closing_mm, blocks.spacing_mm)
        box = bounding_box(closed, 0, blocks.spacing_mm)
        closed[box] = fill_voids.fill(np.ascontiguousarray(closed[box]))
        solid[closed & (solid == 0) & ~barred] = side
    return solid


def refine(
    volume: Volume,
    blocks: Blocks,
    labels: NDArray[np.uint8],
    solid: NDArray[np.uint8],
    level: NDArray[np.uint8],
    barred: Mask,
    padded: Mask,
    *,
    air_hu: float,
) -> NDArray[np.uint8]:
    """Lungs at full resolution.

    Parameters
    ----------
    volume : Volume
        HU, axes (z, y, x).
    blocks : Blocks
        Made from `volume`.
    labels, solid : ndarray of uint8
        Aerated lung and lung with everything filled, on the blocks.
    level : ndarray of uint8
        From `lungprep.image.segmentation.completion.smooth_surfaces`.
    barred : ndarray of bool
        Blocks where no lung may be.
    padded : ndarray of bool
        Columns (y, x) of the volume outside the field of view.
    air_hu : float
        Voxels below it are aerated.

    Returns
    -------
    ndarray of uint8
        Shape of the volume: 0 outside, 1 right lung, 2 left lung.
    """
    inner = erode(solid > 0, _BLUR_MM, blocks.spacing_mm)
    added = dilate((solid > 0) & (labels == 0), _BLUR_MM, blocks.spacing_mm) & (solid > 0)
    filled_share = np.where(inner, np.uint8(254), level * added)
    zone = spread(solid, _RIM_MM, blocks.spacing_mm)
    zone[barred] = 0
    fine = np.zeros(volume.hu.shape, np.uint8)
    box = bounding_box(zone > 0, 0, blocks.spacing_mm)
    cropped, covered = blocks.crop(box)
    hu, labelled, scanned = volume.hu[covered], fine[covered], ~padded[covered[1:]]
    for z, filled in enumerate(fine_slices(filled_share[box], cropped)):
        lung = ((hu[z] < air_hu) | filled) & scanned
        np.multiply(fine_slice(zone[box], cropped, z), lung.view(np.uint8), out=labelled[z])
    return fine
