"""Whether something dense lies between a lung and its ribs or its diaphragm.

Consolidation, effusion and large tumours are as dense as the chest wall, so a mask that stops at
them looks sound. But a lung lies against its ribs at the back, and reaches lowest there, behind
the dome of the diaphragm. Where it does neither, part of it may be missing in the mask.
"""

import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation.morphology import Mask, Spacing

_BONE_HU = 200
# Ribs slant, so that a slice passes between them: the next one lies within this height.
_BETWEEN_RIBS_MM = 12.0
# Slices that cut a lung near its apex or below the dome say nothing: less than this of the largest.
_FULL_SLICE = 0.5
_MIDDLE_COLUMNS = (25, 75)
_WORST_SLICES = 75
_BACK_MM = 20.0
_LOWEST = 20


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
    size = hu.shape[1]
    bone = hu > _BONE_HU
    near = bone.copy()
    for shift in range(1, int(_BETWEEN_RIBS_MM / spacing_mm[0]) + 1):
        near[shift:] |= bone[:-shift]
        near[:-shift] |= bone[shift:]
    row = np.arange(size)[np.newaxis, :, np.newaxis]
    next_bone = np.minimum.accumulate(np.where(near, row, size)[:, ::-1], axis=1)[:, ::-1]
    last = size - 1 - lung[:, ::-1].argmax(axis=1)
    behind = np.take_along_axis(next_bone, last[:, np.newaxis], axis=1)[:, 0]
    gap = np.where(behind < size, (behind - last - 1.0) * spacing_mm[1], np.nan)
    area = lung.sum(axis=(1, 2))
    gaps = []
    for z in np.flatnonzero(area >= _FULL_SLICE * area.max()):
        columns = np.flatnonzero(lung[z].any(axis=0))
        low, high = np.percentile(columns, _MIDDLE_COLUMNS).astype(int)
        found = gap[z, low : high + 1][lung[z, :, low : high + 1].any(axis=0)]
        if np.isfinite(found).mean() > 0.5:
            gaps.append(np.nanmedian(found))
    return round(float(np.percentile(gaps, _WORST_SLICES)), 1) if gaps else None


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
