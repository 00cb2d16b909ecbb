"""Collapsed or consolidated lung, which is as dense as the chest wall.

Where one lung lies against its ribs at the back, so should the other one: what lies between it and
its ribs there, in the mirror image of the sound lung, is lung too, unless it is fat or as light as
water.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, bounding_box, dilate, erode
from lungprep.image.segmentation.pleural_space import WIDE_GAP_MM, Backs, backs

# Lungs whose centres are nearer do not mirror each other.
_SIDE_BY_SIDE_MM = 60.0
_MIRROR_MM = 4.0
# Nearer to the middle the spine, and on the left the aorta, lie behind the lung.
_MEDIAL_MM = {RIGHT: 20.0, LEFT: 36.0}
_BONE_HU = 200
# Collapsed or consolidated lung is denser than most fluid, not than all, or lighter than fat.
_DENSE_LUNG_HU, _LIGHT_LUNG_HU = (25.0, 130.0), (-450.0, -160.0)
_THICK_MM = 4.0
_CORE_ML = 10.0


def include_collapsed(solid: NDArray[np.uint8], barred: Mask, blocks: Blocks) -> NDArray[np.uint8]:
    """Add dense lung at the back, where the other lung lies against its ribs and this one does not.

    Parameters
    ----------
    solid : ndarray of uint8
        0 outside, 1 right lung, 2 left lung; axes (z, y, x).
    barred : ndarray of bool
        Where no lung may be.
    blocks : Blocks
        The coarse volume.

    Returns
    -------
    ndarray of uint8
        The same, in few patients with more of a lung.
    """
    whole = solid.copy()
    lungs = {side: solid == side for side in (RIGHT, LEFT)}
    if not all(lung.any() for lung in lungs.values()):
        return whole
    ends = {side: backs(blocks.hu, lung, blocks.spacing_mm) for side, lung in lungs.items()}
    right, left = (_centre_mm(lung, blocks.spacing_mm[2]) for lung in lungs.values())
    if left - right < _SIDE_BY_SIDE_MM:
        return whole
    columns = np.flatnonzero((solid > 0).any(axis=(0, 1)))
    twice_middle = int(columns[0] + columns[-1])
    aside_mm = abs(np.arange(solid.shape[2]) - twice_middle / 2) * blocks.spacing_mm[2]
    for side, other in ((RIGHT, LEFT), (LEFT, RIGHT)):
        sound = np.nan_to_num(ends[other].gap_mm, nan=np.inf) <= WIDE_GAP_MM
        wide = np.nan_to_num(ends[side].gap_mm) > WIDE_GAP_MM
        wide &= _mirrored(sound, twice_middle) & (aside_mm >= _MEDIAL_MM[side])
        if not wide.any():
            continue
        usual_mm = np.median(ends[other].gap_mm[sound])
        gap = _behind(ends[side], wide, solid, usual_mm / blocks.spacing_mm[1])
        gap &= _mirrored(dilate(lungs[other], _MIRROR_MM, blocks.spacing_mm), twice_middle)
        gap &= (whole == 0) & ~barred & (blocks.hu < _BONE_HU)
        if not gap.any():
            continue
        box = bounding_box(gap, 0, blocks.spacing_mm)
        whole[box][_lung_tissue(gap[box], blocks.hu[box], blocks)] = side
    return whole


def _centre_mm(lung: Mask, column_mm: float) -> float:
    columns = lung.sum(axis=(0, 1))
    return float(np.average(np.arange(columns.size), weights=columns)) * column_mm


def _behind(ends: Backs, wide: Mask, solid: NDArray[np.uint8], usual: float) -> Mask:
    """From the back of the lung to the usual distance from the ribs, in the hind half of the chest.

    `usual` is in blocks.
    """
    rows = np.flatnonzero((solid > 0).any(axis=(0, 2)))
    row = np.arange(solid.shape[1])[np.newaxis, :, np.newaxis]
    start = np.maximum(ends.last + 1, (rows[0] + rows[-1]) // 2)[:, np.newaxis]
    stop = (ends.rib - round(usual))[:, np.newaxis]
    return np.asarray(wide[:, np.newaxis] & (row >= start) & (row < stop))


def _mirrored(mask: Mask, twice_middle: int) -> Mask:
    """Swap left and right about a column."""
    size = mask.shape[-1]
    source = twice_middle - np.arange(size)
    inside = (source >= 0) & (source < size)
    return np.asarray(mask[..., source.clip(0, size - 1)] & inside)


def _lung_tissue(gap: Mask, hu: NDArray[np.int16], blocks: Blocks) -> Mask:
    """Thick pieces that are neither fluid nor fat."""
    thick = erode(gap, _THICK_MM, blocks.spacing_mm)
    pieces, count = cc3d.connected_components(thick, connectivity=6, return_N=True)
    which = pieces[thick]
    size = np.bincount(which, minlength=count + 1)
    mean = np.bincount(which, weights=hu[thick], minlength=count + 1) / np.maximum(size, 1)
    ranges = (_DENSE_LUNG_HU, _LIGHT_LUNG_HU)
    keep = np.any([(low <= mean) & (mean <= high) for low, high in ranges], axis=0)
    keep &= size * blocks.block_ml >= _CORE_ML
    keep[0] = False
    return np.asarray(gap & dilate(keep[pieces], 2 * _THICK_MM, blocks.spacing_mm))
