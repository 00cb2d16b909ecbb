"""Right and left: which piece of lung lies on which side.

Two lungs that touch are one piece, which `parting` parts first. A lung that bulges across the
middle stays whole.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, bounding_box, spread
from lungprep.image.segmentation.parting import BULGE, EVEN, part

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
        x of the trachea, or of the middle of the body, from the middle of the first block; None
        takes the middle of the lungs.

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
    alone = sizes[3] < EVEN * sizes[2]
    for number in range(2, int(field.max()) + 1):
        piece = field == number
        columns = piece.sum(axis=(0, 1))
        on_right = columns[: int(middle + 0.5)].sum() / columns.sum()
        parted = part(blocks, piece, middle, alone) if BULGE < on_right < 1 - BULGE else None
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
