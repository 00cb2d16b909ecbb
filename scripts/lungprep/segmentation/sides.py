"""Right and left: which piece of lung lies on which side, and where joined lungs part.

Lungs that touch at the anterior or posterior junction are one piece. They part along the cheapest
path from front to back in each axial slice, where lung is dear and the junction line cheap:
dynamic programming as in Hu, Hoffman & Reinhardt, IEEE TMI 20(6), 2001, all slices at once.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation.blocks import Blocks
from lungprep.segmentation.morphology import Mask, bounding_box, neighbours, spread

RIGHT, LEFT = 1, 2

# The junction lies between the lungs, seldom further than this from the trachea.
_WINDOW_MM = 60.0
_PER_MM_OFF = 0.01
_MOST_BEND = 2
_PER_BEND = 0.1
# From free of charge (tissue) to dear (aerated lung).
_FREE_HU, _DEAR_HU = -200.0, -800.0
# With less than this share beyond the middle, a piece is one lung that bulges across it.
_BULGE = 0.05
# A cut through one lung lays open more surface than a cut through a narrow junction, and a wide
# junction still holds pleura, which a cut through a lung does not. Where there is no second lung,
# no single one lies so evenly on both sides that the smaller part has the last share.
_NECK = 0.5
_PLEURA_HU = 60.0
_EVEN = 0.35
# Blocks of a tongue's pleura are denser than lung by this; smaller tongues are left alone.
_TONGUE_HU, _TONGUE_ML, _TONGUE_MM = 100.0, 1.0, 10.0
# Two lungs lie further apart than two parts of one lung, and neither is a fragment.
_APART_MM, _APART_ACROSS_MM = 90.0, 60.0
_SHARE = 0.2
_FRAGMENT_MM = 10.0


def lung_sides(
    blocks: Blocks, field: NDArray[np.uint8], middle_mm: float | None
) -> NDArray[np.uint8]:
    """Label the pieces of `lung_field` by the patient's side.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x), x towards the patient's left.
    field : ndarray of uint8
        0 elsewhere, 1 fragments, 2 and up the lungs.
    middle_mm : float or None
        x of the trachea from the edge of the volume; None takes the middle of the lungs.

    Returns
    -------
    ndarray of uint8
        0 elsewhere, 1 right lung, 2 left lung.
    """
    dx = blocks.spacing_mm[2]
    extent = bounding_box(field > 1, 0, blocks.spacing_mm)[2]
    middle = (extent.start + extent.stop - 1) / 2 if middle_mm is None else middle_mm / dx
    labels = np.zeros(field.shape, np.uint8)
    whole: list[int] = []
    sizes = np.bincount(field.ravel(), minlength=4)
    alone = sizes[3] < _EVEN * sizes[2]
    for number in range(2, int(field.max()) + 1):
        piece = field == number
        columns = piece.sum(axis=(0, 1))
        on_right = columns[: int(middle + 0.5)].sum() / columns.sum()
        parted = _part(blocks, piece, middle, alone) if _BULGE < on_right < 1 - _BULGE else None
        if parted is None:
            whole.append(number)
        else:
            labels += parted
    centres = {number: _centre(field == number) for number in whole}
    if not labels.any():
        middle = _between(centres, field, blocks, middle)
    for number, (_, centre) in centres.items():
        labels[field == number] = RIGHT if centre < middle else LEFT
    return _with_fragments(labels, field, blocks)


def _centre(piece: Mask) -> tuple[float, float]:
    """Centre of mass along y and x."""
    columns = piece.sum(axis=0)
    y, x = (
        np.average(np.arange(n), weights=columns.sum(axis=1 - axis))
        for axis, n in enumerate(columns.shape)
    )
    return float(y), float(x)


def _with_fragments(
    labels: NDArray[np.uint8], field: NDArray[np.uint8], blocks: Blocks
) -> NDArray[np.uint8]:
    """Label each fragment by the lung that reaches it first."""
    if not (field == 1).any():
        return labels
    around = spread(labels, _FRAGMENT_MM, blocks.spacing_mm)
    fragments, count = cc3d.connected_components(field == 1, connectivity=6, return_N=True)
    votes = [np.bincount(fragments[around == side], minlength=count + 1) for side in (RIGHT, LEFT)]
    nearest = np.where(votes[0] >= votes[1], RIGHT, LEFT).astype(np.uint8)
    nearest[0] = 0
    return np.asarray(labels + nearest[fragments], np.uint8)


def _between(
    centres: dict[int, tuple[float, float]],
    field: NDArray[np.uint8],
    blocks: Blocks,
    middle: float,
) -> float:
    """Move the middle between the two largest pieces where they are two lungs on one side of it."""
    if len(centres) < 2:
        return middle
    # Pieces are numbered by size.
    (first, one), (second, two) = list(centres.items())[:2]
    _, dy, dx = blocks.spacing_mm
    across_mm = abs(one[1] - two[1]) * dx
    apart = across_mm > _APART_ACROSS_MM
    apart |= bool(np.hypot((one[0] - two[0]) * dy, across_mm) > _APART_MM)
    larger, smaller = (np.count_nonzero(field == number) for number in (first, second))
    same_side = (one[1] < middle) == (two[1] < middle)
    if same_side and apart and smaller > _SHARE * (larger + smaller):
        return (one[1] + two[1]) / 2
    return middle


def _part(blocks: Blocks, piece: Mask, middle: float, alone: bool) -> NDArray[np.uint8] | None:
    """Right and left part of a piece, or None if it has no neck to cut through."""
    box = bounding_box(piece, 0, blocks.spacing_mm)
    reach = int(_WINDOW_MM / blocks.spacing_mm[2])
    start = max(int(middle) - reach, 0)
    window = (box[0], box[1], slice(start, int(middle) + reach + 1))
    seam = start + _seam(_toll(blocks, piece, window, middle))
    labels = np.zeros(piece.shape, np.uint8)
    on_right = np.arange(piece.shape[2]) < seam[:, :, np.newaxis]
    labels[box[:2]] = np.where(on_right, RIGHT, LEFT) * piece[box[:2]]
    labels = _tongues_returned(_whole_sides(labels), blocks)
    smaller = min(np.count_nonzero(labels == side) for side in (RIGHT, LEFT))
    smaller_mm3 = smaller * blocks.block_ml * 1000
    area_mm2, cut_hu = _cut(labels, blocks)
    two = area_mm2 <= _NECK * smaller_mm3 ** (2 / 3)
    two |= cut_hu >= blocks.hu[piece].mean() + _PLEURA_HU
    two |= alone and smaller >= _EVEN * np.count_nonzero(piece)
    two &= smaller >= _BULGE * np.count_nonzero(piece)
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


def _seam(toll: NDArray[np.float32]) -> NDArray[np.intp]:
    """Column (z, y) of the cheapest path through each slice of `toll` (z, y, x), along y."""
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
    for here, beside in neighbours():
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
