"""Whether something lies between a lung and the ribs behind it, or its diaphragm.

Consolidation, effusion and large tumours are as dense as the chest wall, so a mask that stops at
them looks sound. But a lung lies against its ribs at the back, and reaches lowest there, behind
the dome of the diaphragm. Where it does neither, part of it may be missing in the mask.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.morphology import Mask, Spacing, bounding_box

_BONE_HU = 200
# Ribs slant, so that a slice passes between them: the next one lies within this height.
_BETWEEN_RIBS_MM = 12.0
# Slices that cut a lung near its apex or below the dome say nothing: less than this of the largest.
_FULL_SLICE = 0.5
_MIDDLE_COLUMNS = (25, 75)
_WORST_SLICES = 75
_BACK_MM = 20.0
_LOWEST = 20
# The base of a lung is the height below which this share of it lies.
_BASE = 0.02
# Lung lies against its ribs up to this distance; pleura, fat and muscle are thinner.
WIDE_GAP_MM = 14.0


@dataclass(frozen=True)
class Backs:
    """Where each column (z, x) of a lung ends at the back, in blocks along y.

    Attributes
    ----------
    last : ndarray of int
        Its last block; meaningless where there is none.
    rib : ndarray of int
        The next bone behind that, or the number of rows.
    gap_mm : ndarray of float
        The distance between them; NaN where one of them is absent.
    """

    last: NDArray[np.intp]
    rib: NDArray[np.intp]
    gap_mm: NDArray[np.float64]


def backs(hu: NDArray[np.int16], lung: Mask, spacing_mm: Spacing) -> Backs:
    """Find the back of each column of a lung, and the next rib behind it.

    Parameters
    ----------
    hu : ndarray of int16
        Block means, axes (z, y, x), y to the back.
    lung : ndarray of bool
        One lung on the same blocks.
    spacing_mm : tuple of float
        Of the blocks (z, y, x).
    """
    z, y, x = bounding_box(lung, _BETWEEN_RIBS_MM, spacing_mm)
    size = hu.shape[1]
    inner = lung[z, y.start :, x]
    near = _near_bone(hu[z, y.start :, x], spacing_mm[0])
    row = np.arange(y.start, size)[np.newaxis, :, np.newaxis]
    ends = size - 1 - inner[:, ::-1].argmax(axis=1)
    behind = near & (row > ends[:, np.newaxis])
    bones = np.where(behind.any(axis=1), behind.argmax(axis=1) + y.start, size)
    known = inner.any(axis=1) & (bones < size)
    last, rib = np.full((2, *lung.shape[::2]), size)
    gap_mm = np.full(lung.shape[::2], np.nan)
    last[z, x], rib[z, x] = ends, bones
    gap_mm[z, x] = np.where(known, (bones - ends - 1.0) * spacing_mm[1], np.nan)
    return Backs(last, rib, gap_mm)


def _near_bone(hu: NDArray[np.int16], step_mm: float) -> Mask:
    """Where a rib is in this slice or one near it."""
    bone = hu > _BONE_HU
    near = bone.copy()
    for shift in range(1, int(_BETWEEN_RIBS_MM / step_mm) + 1):
        near[shift:] |= bone[:-shift]
        near[:-shift] |= bone[shift:]
    return np.asarray(near)


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
    gap = backs(hu, lung, spacing_mm).gap_mm
    area = lung.sum(axis=(1, 2))
    gaps = []
    for z in np.flatnonzero(area >= _FULL_SLICE * area.max()):
        columns = np.flatnonzero(lung[z].any(axis=0))
        low, high = np.percentile(columns, _MIDDLE_COLUMNS).astype(int)
        found = gap[z, low : high + 1]
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
    lowest, columns = lung.argmax(axis=0), np.asarray(lung.any(axis=0))
    last = columns.shape[0] - 1 - columns[::-1].argmax(axis=0)
    row = np.arange(columns.shape[0])[:, np.newaxis]
    back = columns & (row >= last - _BACK_MM / spacing_mm[1])
    depth = np.median(lowest[columns]) - np.percentile(lowest[back], _LOWEST)
    return round(float(depth) * spacing_mm[0], 1)


def base_step_mm(right: Mask, left: Mask, spacing_mm: Spacing) -> float:
    """How much higher the base of the left lung lies than that of the right one.

    Parameters
    ----------
    right, left : ndarray of bool
        The lungs, axes (z, y, x), z to the head; neither empty.
    spacing_mm : tuple of float
        Of the masks (z, y, x).

    Returns
    -------
    float
        In mm; below 0 where the right base is the higher one. A base is the height below which
        2 % of the lung lie.
    """
    bases = [
        int(np.searchsorted(np.cumsum(lung.sum(axis=(1, 2))), _BASE * np.count_nonzero(lung)))
        for lung in (right, left)
    ]
    return round((bases[1] - bases[0]) * spacing_mm[0], 1)
