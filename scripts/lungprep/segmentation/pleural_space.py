"""Dense tissue between a lung and the ribs behind it, or its diaphragm.

Consolidation, effusion and large tumours are as dense as the chest wall, so a mask that stops at
them looks sound. But a lung lies against its ribs at the back, and reaches lowest there, behind
the dome of the diaphragm. Where it does neither, part of it is missing in the mask. Where the other
lung shows that there should be lung, and the tissue is neither fluid nor fat, it is taken in.
"""

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation.blocks import Blocks
from lungprep.segmentation.morphology import Mask, Spacing, dilate, erode
from lungprep.segmentation.sides import LEFT, RIGHT

_BONE_HU = 200
# Ribs slant, so that a slice passes between them: the next one lies within this height.
_BETWEEN_RIBS_MM = 12.0
# Slices that cut a lung near its apex or below the dome say nothing: less than this of the largest.
_FULL_SLICE = 0.5
_MIDDLE_COLUMNS = (25, 75)
_WORST_SLICES = 75
_BACK_MM = 20.0
_LOWEST = 20
# Lung lies against its ribs up to this distance; pleura, fat and muscle are thinner.
WIDE_GAP_MM = 14.0
_MIRROR_MM = 4.0
# Nearer to the middle the spine, and on the left the aorta, lie behind the lung.
_MEDIAL_MM = {RIGHT: 20.0, LEFT: 36.0}
_THICK_MM = 4.0
# Collapsed or consolidated lung is denser than fluid, even than exudate, or lighter than fat.
_DENSE_LUNG_HU, _LIGHT_LUNG_HU = (25.0, 130.0), (-450.0, -160.0)
_LEAST_ML = 10.0


@dataclass(frozen=True)
class _Backs:
    """Where each column (z, x) of a lung ends at the back, in blocks along y.

    Attributes
    ----------
    last : ndarray of int
        Its last block; meaningless where `present` is False.
    rib : ndarray of int
        The next bone behind that, or the number of rows.
    present, known : ndarray of bool
        Whether the column holds lung at all; and whether there is bone behind it.
    """

    last: NDArray[np.intp]
    rib: NDArray[np.intp]
    present: Mask
    known: Mask

    @classmethod
    def of(cls, lung: Mask, next_bone: NDArray[np.intp]) -> "_Backs":
        size = lung.shape[1]
        last = size - 1 - lung[:, ::-1].argmax(axis=1)
        rib = np.take_along_axis(next_bone, last[:, np.newaxis], axis=1)[:, 0]
        present = lung.any(axis=1)
        return cls(last, rib, present, present & (rib < size))

    def gap_mm(self, row_mm: float) -> NDArray[np.float64]:
        """Distance from lung to bone; NaN where one of them is absent."""
        return np.where(self.known, (self.rib - self.last - 1.0) * row_mm, np.nan)


def _next_bone(hu: NDArray[np.int16], spacing_mm: Spacing) -> NDArray[np.intp]:
    """Row of the next bone at or behind each block, in the slices around; the size if none."""
    bone = hu > _BONE_HU
    near = bone.copy()
    for shift in range(1, int(_BETWEEN_RIBS_MM / spacing_mm[0]) + 1):
        near[shift:] |= bone[:-shift]
        near[:-shift] |= bone[shift:]
    size = hu.shape[1]
    row = np.arange(size)[np.newaxis, :, np.newaxis]
    return np.minimum.accumulate(np.where(near, row, size)[:, ::-1], axis=1)[:, ::-1]


def rib_gap_mm(hu: NDArray[np.int16], lung: Mask, spacing_mm: Spacing) -> float | None:
    """Distance from the back of a lung to the next rib behind it.

    Parameters
    ----------
    hu : ndarray of int16
        Block means, axes (z, y, x), y to the back.
    lung : ndarray of bool
        One lung on the same blocks.
    spacing_mm : tuple of float
        Of the blocks (z, y, x).

    Returns
    -------
    float or None
        In mm, of the median column in the middle of the lung, in the slice that is worse than
        three quarters of the slices which cut the lung fully. None where no rib was scanned.
    """
    gap = _Backs.of(lung, _next_bone(hu, spacing_mm)).gap_mm(spacing_mm[1])
    area = lung.sum(axis=(1, 2))
    gaps = []
    for z in np.flatnonzero(area >= _FULL_SLICE * area.max()):
        columns = np.flatnonzero(lung[z].any(axis=0))
        low, high = np.percentile(columns, _MIDDLE_COLUMNS).astype(int)
        found = gap[z, low : high + 1]
        if np.isfinite(found).mean() > 0.5:
            gaps.append(np.nanmedian(found))
    return round(float(np.percentile(gaps, _WORST_SLICES)), 1) if gaps else None


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
        The same with more of a lung, in few patients.
    """
    found = solid.copy()
    rows = np.flatnonzero((solid > 0).any(axis=(0, 2)))
    sides = {side: solid == side for side in (RIGHT, LEFT)}
    if not rows.size or not all(mask.any() for mask in sides.values()):
        return found
    _, row_mm, column_mm = blocks.spacing_mm
    column = np.arange(solid.shape[2])
    next_bone = _next_bone(blocks.hu, blocks.spacing_mm)
    backs = {side: _Backs.of(mask, next_bone) for side, mask in sides.items()}
    row = np.arange(solid.shape[1])[np.newaxis, :, np.newaxis]
    behind_middle = row >= (rows[0] + rows[-1]) / 2
    for side, other in ((RIGHT, LEFT), (LEFT, RIGHT)):
        wide = backs[side].gap_mm(row_mm) > WIDE_GAP_MM
        if not wide.any():
            continue
        usual = int(np.nanmedian(backs[other].gap_mm(row_mm)) / row_mm + 0.5)
        touching = backs[other].gap_mm(row_mm) <= WIDE_GAP_MM
        wide &= _mirrored(touching, sides)
        wide &= np.abs(column - _middle(sides)) * column_mm >= _MEDIAL_MM[side]
        gap = wide[:, np.newaxis] & (row > backs[side].last[:, np.newaxis])
        gap &= (row < backs[side].rib[:, np.newaxis] - usual) & behind_middle
        gap &= _mirrored(dilate(sides[other], _MIRROR_MM, blocks.spacing_mm), sides)
        gap &= (solid == 0) & ~barred & (blocks.hu < _BONE_HU)
        found[_dense(gap, blocks)] = side
    return found


def _middle(sides: dict[int, Mask]) -> float:
    """Column in the middle between the outer ends of both lungs."""
    used = np.flatnonzero(sum(lung.any(axis=(0, 1)) for lung in sides.values()))
    return float(used[0] + used[-1]) / 2


def _mirrored(mask: Mask, sides: dict[int, Mask]) -> Mask:
    """Swap left and right about the plane in the middle between both lungs."""
    shift = int(2 * _middle(sides)) - (mask.shape[-1] - 1)
    flipped = np.zeros_like(mask)
    source, target = (slice(max(k, 0), mask.shape[-1] + min(k, 0)) for k in (-shift, shift))
    flipped[..., target] = mask[..., ::-1][..., source]
    return flipped


def _dense(gap: Mask, blocks: Blocks) -> Mask:
    """Thick pieces that are neither fluid nor fat."""
    thick = erode(gap, _THICK_MM, blocks.spacing_mm)
    pieces, count = cc3d.connected_components(thick, connectivity=6, return_N=True)
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    total = np.bincount(pieces.ravel(), weights=blocks.hu.ravel(), minlength=count + 1)
    mean = total / np.maximum(size, 1)
    keep = size * blocks.block_ml >= _LEAST_ML / 4
    ranges = (_DENSE_LUNG_HU, _LIGHT_LUNG_HU)
    keep &= np.any([(low <= mean) & (mean <= high) for low, high in ranges], axis=0)
    keep[0] = False
    return gap & dilate(keep[pieces], 2 * _THICK_MM, blocks.spacing_mm)


def recess_mm(lung: Mask, spacing_mm: Spacing) -> float:
    """How far the back of a lung reaches below the middle of its lower surface.

    Parameters
    ----------
    lung : ndarray of bool
        One lung, axes (z, y, x), z to the head, y to the back; not empty.
    spacing_mm : tuple of float
        Of the mask (z, y, x).

    Returns
    -------
    float
        In mm; below 0 where the back ends above the middle.
    """
    lowest, columns = lung.argmax(axis=0), lung.any(axis=0)
    last = columns.shape[0] - 1 - columns[::-1].argmax(axis=0)
    row = np.arange(columns.shape[0])[:, np.newaxis]
    back = columns & (row >= last - _BACK_MM / spacing_mm[1])
    depth = np.median(lowest[columns]) - np.percentile(lowest[back], _LOWEST)
    return round(float(depth) * spacing_mm[0], 1)
