"""Where lungs part that touch at the anterior or posterior junction, and are one piece.

The cut is the cheapest path from front to back in each axial slice, where lung is dear and the
junction line cheap: dynamic programming as in Hu, Hoffman & Reinhardt, IEEE TMI 20(6), 2001, all
slices at once.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, bounding_box, neighbours, spread

# The junction lies between the lungs, seldom further than this from the trachea.
_WINDOW_MM = 60.0
_PER_MM_OFF = 0.01
_MOST_BEND = 2
_PER_BEND = 0.1
# From free of charge (tissue) to dear (aerated lung).
_FREE_HU, _DEAR_HU = -200.0, -800.0
# With less than this share beyond the middle, a piece is one lung that bulges across it.
BULGE = 0.05
# A cut through one lung lays open more surface than a cut through a narrow junction, and a wide
# junction still holds pleura, which a cut through a lung does not. Where there is no second lung,
# no single one lies so evenly on both sides that the smaller part has the last share.
_NECK = 0.5
_PLEURA_HU = 60.0
EVEN = 0.35
# Blocks of a tongue's pleura are denser than lung by this; smaller tongues are left alone.
_TONGUE_HU, _TONGUE_ML, _TONGUE_MM = 100.0, 1.0, 10.0


def part(blocks: Blocks, piece: Mask, middle: float, alone: bool) -> NDArray[np.uint8] | None:
    """Cut a piece of lung into a right and a left one.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x), x towards the patient's left.
    piece : ndarray of bool
        The piece, on both sides of the middle.
    middle : float
        Column near which the junction lies.
    alone : bool
        Whether there is no other piece that could be the second lung.

    Returns
    -------
    ndarray of uint8 or None
        0 elsewhere, 1 right, 2 left; None if the piece is one lung.
    """
    box = bounding_box(piece, 0, blocks.spacing_mm)
    reach = int(_WINDOW_MM / blocks.spacing_mm[2])
    start = max(int(middle) - reach, 0)
    window = (box[0], box[1], slice(start, int(middle) + reach + 1))
    column = start + seam(_toll(blocks, piece, window, middle))
    labels = np.zeros(piece.shape, np.uint8)
    on_right = np.arange(piece.shape[2]) < column[:, :, np.newaxis]
    labels[box[:2]] = np.where(on_right, RIGHT, LEFT) * piece[box[:2]]
    labels = _tongues_returned(_whole_sides(labels), blocks)
    smaller = min(np.count_nonzero(labels == side) for side in (RIGHT, LEFT))
    smaller_mm3 = smaller * blocks.block_ml * 1000
    area_mm2, cut_hu = _cut(labels, blocks)
    two = area_mm2 <= _NECK * smaller_mm3 ** (2 / 3)
    two |= cut_hu >= blocks.hu[piece].mean() + _PLEURA_HU
    two |= alone and smaller >= EVEN * np.count_nonzero(piece)
    two &= smaller >= BULGE * np.count_nonzero(piece)
    return labels if two else None


def _toll(
    blocks: Blocks, piece: Mask, window: tuple[slice, slice, slice], middle: float
) -> NDArray[np.float32]:
    """Cost per block of a path: lung by its aeration, and a little for being off the middle."""
    hu = blocks.hu[window].astype(np.float32)
    toll = np.clip((_FREE_HU - hu) / (_FREE_HU - _DEAR_HU), 0, 1) * piece[window]
    around = toll.copy()
    around[1:] += toll[:-1]
    around[:-1] += toll[1:]
    off_mm = np.abs(np.arange(window[2].start, window[2].start + toll.shape[2]) - middle)
    off_mm *= blocks.spacing_mm[2]
    return np.asarray(around / 3 + np.float32(_PER_MM_OFF) * off_mm.astype(np.float32), np.float32)


def seam(toll: NDArray[np.float32]) -> NDArray[np.intp]:
    """Find the columns (z, y) of the cheapest paths along y, one through each slice (z, y, x)."""
    depth, length, width = toll.shape
    total = toll[:, 0].copy()
    came_from = np.zeros(toll.shape, np.int8)
    bends = range(-_MOST_BEND, _MOST_BEND + 1)
    for y in range(1, length):
        padded = np.pad(total, ((0, 0), (_MOST_BEND, _MOST_BEND)), constant_values=np.inf)
        choices = np.stack(
            [padded[:, _MOST_BEND + b : _MOST_BEND + b + width] + _PER_BEND * abs(b) for b in bends]
        )
        best = choices.argmin(axis=0)
        came_from[:, y] = best - _MOST_BEND
        total = np.take_along_axis(choices, best[np.newaxis], axis=0)[0] + toll[:, y]
    seam = np.empty((depth, length), np.intp)
    slices = np.arange(depth)
    column = total.argmin(axis=1)
    for y in range(length - 1, -1, -1):
        seam[:, y] = column
        column = column + came_from[slices, y, column]
    return seam


def _whole_sides(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give chips that the path cut off one lung back to it: each side stays in one piece."""
    pieces, count = cc3d.connected_components(labels, connectivity=6, return_N=True)
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    side = np.zeros(count + 1, np.uint8)
    for label in (RIGHT, LEFT):
        numbers = np.unique(pieces[labels == label])
        side[numbers] = RIGHT + LEFT - label
        side[numbers[size[numbers].argmax()] if numbers.size else 0] = label if numbers.size else 0
    return np.asarray(side[pieces])


def _tongues_returned(labels: NDArray[np.uint8], blocks: Blocks) -> NDArray[np.uint8]:
    """Give tongues back that the path cut off through lung, not along the pleura.

    Without the blocks that hold pleura, such a tongue hangs together with the other side alone.
    """
    aerated = blocks.hu < np.median(blocks.hu[labels > 0]) + _TONGUE_HU
    cores = np.where(aerated, labels, 0).astype(np.uint8)
    pieces, count = cc3d.connected_components(cores, connectivity=6, return_N=True)
    size = np.bincount(pieces.ravel(), minlength=count + 1)
    to_other = np.zeros(count + 1)
    for here, beside, _ in neighbours(blocks.spacing_mm):
        face = (cores[here] > 0) & (cores[beside] > 0) & (cores[here] != cores[beside])
        to_other += np.bincount(pieces[here][face], minlength=count + 1)
    returned = (size * blocks.block_ml >= _TONGUE_ML) & (to_other > 0)
    for side in (RIGHT, LEFT):
        numbers = np.unique(pieces[cores == side])
        if numbers.size:
            returned[numbers[size[numbers].argmax()]] = False
    if not returned[1:].any():
        return labels
    cores[returned[pieces]] = RIGHT + LEFT - cores[returned[pieces]]
    whole = spread(cores, _TONGUE_MM, blocks.spacing_mm, within=labels > 0)
    return np.where((whole == 0) & (labels > 0), labels, whole).astype(np.uint8)


def _cut(labels: NDArray[np.uint8], blocks: Blocks) -> tuple[float, float]:
    """Area of the faces between right and left, and the mean of the denser block at each, HU."""
    area, hu, faces = 0.0, 0.0, 0
    volume_mm3 = blocks.block_ml * 1000
    for axis, step in enumerate(blocks.spacing_mm):
        one, density = np.moveaxis(labels, axis, 0), np.moveaxis(blocks.hu, axis, 0)
        cut = (one[1:] != one[:-1]) & (one[1:] > 0) & (one[:-1] > 0)
        found = int(np.count_nonzero(cut))
        area += found * volume_mm3 / step
        hu += float(np.maximum(density[1:][cut], density[:-1][cut]).sum())
        faces += found
    return area, hu / max(faces, 1)
