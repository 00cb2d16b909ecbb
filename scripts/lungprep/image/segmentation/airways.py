"""Trachea and main bronchi, which are no lung.

The trachea is the longest pile of round, air-filled, walled spots in consecutive axial slices.
From it the lumen grows at rising HU limits (Mori et al., ICPR 1996): while the walls hold, a
higher limit adds little; where one breaks, the volume jumps into the lung, and the limit before the
jump is kept. An opening takes off the thin branches that belong to the lung.
"""

from dataclasses import dataclass, field

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.morphology import Box, Mask, dilate, erode

# Block means of a lumen that is wide enough to matter; lung parenchyma is seldom below it.
_LUMEN_HU = -850
_WALL_HU = -500
# Adult tracheas have 80 to 600 mm²; children, stenoses and the blur of the blocks widen the range.
_SPOT_MM2 = (25.0, 800.0)
_ROUNDNESS = 2.5
_FILLING = 0.55
_WALL_MM = 6.0
_WALLED = 0.4
_OFF_CENTRE_MM = 60.0
_DRIFT_MM = 8.0
_GAP_MM = 5.0
_SHORTEST_MM = 20.0
# A leak adds hundreds of millilitres between two limits, an honest step one or two.
_LIMITS_HU = range(-950, -700, 30)
_JUMP_ML = 12.0
_MOST_ML = 150.0
_BRANCH_MM = 2.0


@dataclass(frozen=True)
class Airways:
    """Lumen of trachea and main bronchi on the blocks.

    Attributes
    ----------
    lumen : ndarray of bool
        Axes (z, y, x); all False where no trachea was found.
    middle_mm : float or None
        Mean x of the trachea from the edge of the volume: where left and right part.
    """

    lumen: Mask
    middle_mm: float | None


@dataclass(frozen=True)
class _Spot:
    """A round air-filled cross-section in one axial slice; the centre in mm from the edge."""

    z: int
    y_mm: float
    x_mm: float
    pixels: tuple[NDArray[np.intp], NDArray[np.intp]] = field(repr=False)


def find_airways(blocks: Blocks, inside: Mask, *, reach_mm: float) -> Airways:
    """Find the lumen of trachea and main bronchi.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x), z towards the head.
    inside : ndarray of bool
        Inside of the body, same shape.
    reach_mm : float
        How far from the carina a bronchus may still be a main one.

    Returns
    -------
    Airways
    """
    pile = _longest_pile(_spots(blocks, inside), blocks.spacing_mm[0])
    lumen = np.zeros(blocks.hu.shape, np.bool_)
    if not pile:
        return Airways(lumen, None)
    seed = np.zeros_like(lumen)
    for spot in pile:
        seed[spot.z][spot.pixels] = True
    box = _reach(pile, blocks, reach_mm)
    grown = _grow(blocks.hu[box], inside[box], seed[box], blocks.block_ml)
    thick = dilate(erode(grown, _BRANCH_MM, blocks.spacing_mm), _BRANCH_MM, blocks.spacing_mm)
    lumen[box] = _connected(thick & grown | seed[box], seed[box])
    return Airways(lumen, float(np.mean([spot.x_mm for spot in pile])))


def _spots(blocks: Blocks, inside: Mask) -> list[_Spot]:
    """Candidates from the head down to the middle of the air, which lies below the carina."""
    _, dy, dx = blocks.spacing_mm
    air = (blocks.hu < _LUMEN_HU) & inside
    per_slice = air.sum(axis=(1, 2))
    lowest = (
        int(np.average(np.arange(len(air)), weights=per_slice)) if per_slice.any() else len(air)
    )
    columns = np.flatnonzero(inside.any(axis=(0, 1)))
    middle, width = columns.mean() if columns.size else 0.0, _OFF_CENTRE_MM / dx
    start, stop = max(int(middle - width), 0), int(middle + width) + 1
    found = []
    for z in range(len(air) - 1, lowest - 1, -1):
        part = np.ascontiguousarray(air[z, :, start:stop]).view(np.uint8)
        _, labels, stats, centres = cv2.connectedComponentsWithStats(part, connectivity=4)
        wide, high, area = stats[:, 2] * dx, stats[:, 3] * dy, stats[:, 4] * dy * dx
        fits = (area >= _SPOT_MM2[0]) & (area <= _SPOT_MM2[1]) & (area >= _FILLING * wide * high)
        fits &= np.maximum(wide, high) <= _ROUNDNESS * np.minimum(wide, high)
        for i in np.flatnonzero(fits[1:]) + 1:
            rows, cols = np.nonzero(labels == i)
            if _walled(blocks.hu[z, :, start:stop], rows, cols, (dy, dx)):
                x, y = centres[i]
                found.append(_Spot(z, y * dy, (x + start) * dx, (rows, cols + start)))
    return found


def _walled(
    hu: NDArray[np.int16],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    step_mm: tuple[float, float],
) -> bool:
    """Whether a good part of the ring around a spot is tissue, and not lung."""
    ry, rx = (int(_WALL_MM / step + 0.5) for step in step_mm)
    top, left = max(rows.min() - ry, 0), max(columns.min() - rx, 0)
    around = hu[top : rows.max() + ry + 1, left : columns.max() + rx + 1]
    spot = np.zeros(around.shape, np.uint8)
    spot[rows - top, columns - left] = 1
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rx + 1, 2 * ry + 1))
    ring = cv2.dilate(spot, disk) > spot
    return bool((around[ring] > _WALL_HU).mean() >= _WALLED)


def _longest_pile(spots: list[_Spot], step_mm: float) -> list[_Spot]:
    piles: list[list[_Spot]] = []
    reach = max(1, int(_GAP_MM / step_mm))
    for spot in spots:
        for pile in piles:
            last = pile[-1]
            drift = np.hypot(last.y_mm - spot.y_mm, last.x_mm - spot.x_mm)
            if 1 <= last.z - spot.z <= reach and drift <= _DRIFT_MM:
                pile.append(spot)
                break
        else:
            piles.append([spot])
    longest = max(piles, key=len, default=[])
    return longest if len(longest) * step_mm >= _SHORTEST_MM else []


def _reach(pile: list[_Spot], blocks: Blocks, reach_mm: float) -> Box:
    """The box from the top of the volume to `reach_mm` below and beside the lowest spot."""
    dz, dy, dx = blocks.spacing_mm
    carina = pile[-1]
    low_y, low_x = int((carina.y_mm - reach_mm) / dy), int((carina.x_mm - reach_mm) / dx)
    high_y, high_x = int((carina.y_mm + reach_mm) / dy), int((carina.x_mm + reach_mm) / dx)
    return (
        slice(max(carina.z - int(reach_mm / dz), 0), len(blocks.hu)),
        slice(max(low_y, 0), high_y + 1),
        slice(max(low_x, 0), high_x + 1),
    )


def _grow(hu: NDArray[np.int16], inside: Mask, seed: Mask, block_ml: float) -> Mask:
    """Region of the highest HU limit that the walls withstand; the seed alone if none does."""
    grown = seed
    volume_ml = _MOST_ML
    for limit in _LIMITS_HU:
        wider = _connected((hu < limit) & inside | seed, seed)
        wider_ml = int(np.count_nonzero(wider)) * block_ml
        if wider_ml > min(volume_ml + _JUMP_ML, _MOST_ML):
            break
        grown, volume_ml = wider, wider_ml
    return grown


def _connected(mask: Mask, seed: Mask) -> Mask:
    """Pieces of the mask that hold seeds."""
    pieces, count = cc3d.connected_components(mask, connectivity=6, return_N=True)
    keep = np.zeros(count + 1, np.bool_)
    keep[np.unique(pieces[seed])] = True
    keep[0] = False
    return np.asarray(keep[pieces])
