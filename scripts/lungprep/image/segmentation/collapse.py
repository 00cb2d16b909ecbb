"""Collapsed or consolidated lung, which is as dense as the chest wall.

Where one lung lies against its ribs at the back, so should the other one: what lies between it and
its ribs there is lung too, unless it is fat or as light as water. From there, and from large
lesions at an apex, it is completed as far as it is thick, to the surface that the other lung has
in the mirror; not into the spine, the aorta and the heart.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks, smoothed
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.mirror import lowered, midst, mirrored
from lungprep.image.segmentation.morphology import Mask, bounding_box, dilate, erode
from lungprep.image.segmentation.pleural_space import WIDE_GAP_MM, Backs, backs

# Lungs whose centres are nearer do not mirror each other.
_SIDE_BY_SIDE_MM = 60.0
_MIRROR_MM = 4.0
# The trachea lies nearer to the middle of both lungs.
_SHIFTED_MM = 15.0
# Around both lungs all distances of this module fit in.
_MARGIN_MM = 16.0
# Nearer to the middle the spine, and on the left the aorta, lie behind the lung.
_MEDIAL_MM = {RIGHT: 20.0, LEFT: 36.0}
_BONE_HU = 200
# Collapsed or consolidated lung is denser than most fluid, not than all, or lighter than fat.
_DENSE_LUNG_HU, _LIGHT_LUNG_HU = (25.0, 130.0), (-450.0, -160.0)
# A part of dense lung may be lighter than its mean.
_SPREAD_HU = 25.0
_THICK_MM = 4.0
_CORE_ML = 10.0
# The apex begins at this share of a lung's height.
_APEX = 0.7
# So much of a dense region was taken in before, if all of it is lung.
_KNOWN = 0.25


def include_collapsed(
    solid: NDArray[np.uint8],
    barred: Mask,
    blocks: Blocks,
    lesions: Mask | None = None,
    middle_mm: float | None = None,
) -> NDArray[np.uint8]:
    """Add dense lung, where the other lung shows that it belongs there or its own air does.

    Parameters
    ----------
    solid : ndarray of uint8
        0 outside, 1 right lung, 2 left lung; axes (z, y, x).
    barred : ndarray of bool
        Where no lung may be.
    blocks : Blocks
        The coarse volume.
    lesions : ndarray of bool, optional
        What was taken in before on the pleura; the large ones are completed.
    middle_mm : float, optional
        x of the trachea from the middle of the first block: where the mediastinum is shifted, a
        lung is no mirror image of the other one.

    Returns
    -------
    ndarray of uint8
        The same, in few patients with more of a lung.
    """
    whole = solid.copy()
    if _shifted_mm(solid, middle_mm, blocks.spacing_mm[2]) > _SHIFTED_MM:
        return whole
    box = bounding_box(solid > 0, _MARGIN_MM, blocks.spacing_mm)
    box = (box[0], slice(box[1].start, solid.shape[1]), box[2])  # with the ribs at the back
    near = None if lesions is None else lesions[box]
    whole[box] = _with_dense_lung(solid[box], barred[box], blocks.crop(box)[0], near)
    return whole


def _shifted_mm(solid: NDArray[np.uint8], middle_mm: float | None, column_mm: float) -> float:
    columns = np.flatnonzero((solid > 0).any(axis=(0, 1)))
    if middle_mm is None or not columns.size:
        return 0.0
    return abs(middle_mm - float(columns[0] + columns[-1]) / 2 * column_mm)


def _with_dense_lung(
    solid: NDArray[np.uint8], barred: Mask, blocks: Blocks, lesions: Mask | None
) -> NDArray[np.uint8]:
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
        seeds = _large(lesions, lungs[side], blocks)
        sound = np.nan_to_num(ends[other].gap_mm, nan=np.inf) <= WIDE_GAP_MM
        wide = np.nan_to_num(ends[side].gap_mm) > WIDE_GAP_MM
        wide &= mirrored(sound, twice_middle) & (aside_mm >= _MEDIAL_MM[side])
        mirror = mirrored(lungs[other], twice_middle)
        if wide.any():
            usual_mm = np.median(ends[other].gap_mm[sound])
            gap = _behind(ends[side], wide, solid, usual_mm / blocks.spacing_mm[1])
            if np.count_nonzero(gap) * blocks.block_ml >= _CORE_ML:
                box = bounding_box(gap, _MIRROR_MM, blocks.spacing_mm)
                found = gap[box] & dilate(mirror[box], _MIRROR_MM, blocks.spacing_mm)
                found &= (whole[box] == 0) & ~barred[box] & (blocks.hu[box] < _BONE_HU)
                seeds[box] |= _lung_tissue(found, blocks.hu[box], blocks)
        if not seeds.any():
            continue
        prior = dilate(mirror, _MIRROR_MM / 2, blocks.spacing_mm)
        prior = lowered(prior, side, np.asarray(seeds.any(axis=0)), blocks.spacing_mm[0])
        box = bounding_box(prior | seeds, 0, blocks.spacing_mm)
        hu = blocks.hu[box]
        room = prior[box] & (whole[box] == 0) & ~barred[box] & (hu < _BONE_HU)
        room &= ~midst(side, solid, twice_middle, blocks)(box)
        whole[box][_completed(seeds[box], room, hu, blocks)] = side
    return whole


def _large(lesions: Mask | None, lung: Mask, blocks: Blocks) -> Mask:
    """The large lesions of a lung's apex; lower ones may be the hilum's, which has no mirror."""
    found = np.zeros_like(lung)
    slices = np.flatnonzero(lung.any(axis=(1, 2)))
    apex = slices[0] + _APEX * (slices[-1] - slices[0])
    if lesions is None or not (lesions & lung)[int(apex) :].any():
        return found
    own = lesions & lung
    box = bounding_box(own, 0, blocks.spacing_mm)
    pieces = cc3d.connected_components(own[box], connectivity=26)
    places = np.nonzero(pieces)
    size = np.bincount(pieces[places])
    height = np.bincount(pieces[places], weights=places[0] + box[0].start) / np.maximum(size, 1)
    found[box] = ((size * blocks.block_ml >= _CORE_ML) & (height >= apex))[pieces]
    return found


def _completed(seeds: Mask, prior: Mask, hu: NDArray[np.int16], blocks: Blocks) -> Mask:
    """Thick dense regions of the prior of which a good part is known."""
    room = prior & _soft(hu)
    thick = dilate(erode(room, _THICK_MM, blocks.spacing_mm), _THICK_MM, blocks.spacing_mm) & room
    thick |= seeds
    pieces, count = cc3d.connected_components(thick, connectivity=6, return_N=True)
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    known = np.bincount(pieces[seeds], minlength=count + 1)
    keep = (known >= _KNOWN * size) & (known * blocks.block_ml >= _CORE_ML)
    keep[0] = False
    return np.asarray(keep[pieces] & prior)


def _soft(hu: NDArray[np.int16]) -> Mask:
    mean = smoothed(hu)
    (low, high), (light, heavy) = _DENSE_LUNG_HU, _LIGHT_LUNG_HU
    dense = (mean >= low - _SPREAD_HU) & (mean <= high)
    return np.asarray(dense | ((mean >= light) & (mean <= heavy)))


def _centre_mm(lung: Mask, column_mm: float) -> float:
    columns = lung.sum(axis=(0, 1))
    return float(np.average(np.arange(columns.size), weights=columns)) * column_mm


def _behind(ends: Backs, wide: Mask, solid: NDArray[np.uint8], usual: float) -> Mask:
    """From the back of the lung to the usual distance from the ribs, in the hind half of the chest.

    `usual` is in blocks.
    """
    rows = np.flatnonzero((solid > 0).any(axis=(0, 2)))
    start = np.maximum(ends.last + 1, (rows[0] + rows[-1]) // 2)
    stop = ends.rib - round(usual)
    gap = np.zeros(solid.shape, np.bool_)
    for z, x in np.argwhere(wide & (start < stop)):
        gap[z, start[z, x] : stop[z, x], x] = True
    return gap


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
