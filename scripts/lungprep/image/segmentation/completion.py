"""The part of a lung's surface that nothing shows: through tissue as dense as the lung's own.

What was taken in on the blocks, by votes of planes or in the mirror of the other lung, ends at
steps and corners of blocks. Averaged over about a centimetre, its surface is where half of the
average is lung, between the blocks too.
"""

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, Spacing, bounding_box, dilate

_WIDTH_MM = 10.0
_PASSES = 2
_MARGIN_MM = 12.0
# How far from what was taken in the surface is smoothed.
_BAND_MM = 4.0
# What was taken in stays where this much around it is lung, 0 to 254: less in lesions, whose edges
# go and whose surfaces stay. More is added where half is.
_KEPT, _KEPT_LESION, _HALF = 80, 64, 127


def _levels(kept: int) -> NDArray[np.uint8]:
    return np.interp(np.arange(256), (0, kept, 254), (0, _HALF, 254)).astype(np.uint8)


_USUAL, _IN_LESIONS = _levels(_KEPT), _levels(_KEPT_LESION)
# A smaller piece beside its lung, of the lung, is no lung: oesophagus, bronchi, bowel.
_ISLAND = 0.05


def smooth_surfaces(
    solid: NDArray[np.uint8],
    aerated: NDArray[np.uint8],
    lesions: Mask,
    barred: Mask,
    blocks: Blocks,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Smooth the lungs where they end in tissue, and leave out islands.

    Parameters
    ----------
    solid, aerated : ndarray of uint8
        Lungs with all that belongs to them, and what of them holds air: 0 elsewhere, 1 right, 2
        left; axes (z, y, x).
    lesions : ndarray of bool
        Dense lung that was taken in.
    barred : ndarray of bool
        Where no lung may be.
    blocks : Blocks
        The coarse volume.

    Returns
    -------
    smooth : ndarray of uint8
        Labels as in `solid`; all of `aerated` but its islands is in it.
    level : ndarray of uint8
        How much of the surroundings is lung, 0 to 254.
    """
    smooth, level = np.zeros_like(solid), np.zeros_like(solid)
    for side in (RIGHT, LEFT):
        box = bounding_box(solid == side, _MARGIN_MM, blocks.spacing_mm)
        lung = solid[box] == side
        if not lung.any():
            continue
        air = aerated[box] == side
        share = _share(lung, blocks.spacing_mm)
        band = dilate(lung & ~air, _BAND_MM, blocks.spacing_mm)
        band &= ~barred[box] & ((solid[box] == 0) | lung)
        lesion = dilate(lesions[box] & lung, _BAND_MM, blocks.spacing_mm)
        scaled = np.asarray(cv2.LUT(share.reshape(len(share), -1), _USUAL)).reshape(share.shape)
        scaled[lesion] = _IN_LESIONS[share[lesion]]
        kept = np.where(lung, scaled, share) > _HALF
        lung = _without_islands(air | np.where(band, kept, lung))
        smooth[box][lung] = side
        level[box] = np.maximum(level[box], scaled * lung)
    return smooth, level


def _share(mask: Mask, spacing_mm: Spacing) -> NDArray[np.uint8]:
    """Mean over about a centimetre, 0 to 254."""
    rows, columns = (2 * int(_WIDTH_MM / 2 / step) + 1 for step in spacing_mm[1:])
    mean = mask.astype(np.uint8) * np.uint8(254)
    reach = int(_WIDTH_MM / 2 / spacing_mm[0])
    for _ in range(_PASSES):
        planes = np.stack([cv2.blur(plane, (columns, rows)) for plane in mean])
        framed = np.pad(planes, ((reach, reach), (0, 0), (0, 0)), mode="edge").astype(np.uint16)
        total = framed[: len(mask)].copy()
        for shift in range(1, 2 * reach + 1):
            total += framed[shift : shift + len(mask)]
        mean = (total // np.uint16(2 * reach + 1)).astype(np.uint8)
    return mean


def _without_islands(lung: Mask) -> Mask:
    pieces, count = cc3d.connected_components(lung, connectivity=26, return_N=True)
    if count < 2:
        return lung
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    size[0] = 0
    return np.asarray((size >= _ISLAND * size.max())[pieces] & lung)
