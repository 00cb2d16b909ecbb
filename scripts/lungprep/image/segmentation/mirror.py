"""The mirror image of a lung, which tells where the other one belongs, and where it does not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Box, Mask

# What the mirror does not know, as tilted cylinders in shares of the lungs' width and depth: centre
# to the left, centre behind the front of the lungs, half width, half depth, and how far the centre
# moves to the left and to the front per step to the feet.
_HEART = (0.076, 0.26, 0.23, 0.32, 0.15, 0.15)
_BEHIND_HEART = {
    RIGHT: (0.0, 0.85, 0.12, 0.25, 0.15, 0.0),
    LEFT: (0.03, 0.82, 0.145, 0.26, -0.15, 0.0),
}
# The left dome of the diaphragm is the lower one.
_LOWER_MM = 8.0


def mirrored(mask: Mask, twice_middle: int) -> Mask:
    """Swap left and right.

    Parameters
    ----------
    mask : ndarray of bool
        Columns are the last axis.
    twice_middle : int
        Twice the column that stays.
    """
    size = mask.shape[-1]
    source = twice_middle - np.arange(size)
    inside = (source >= 0) & (source < size)
    return np.asarray(mask[..., source.clip(0, size - 1)] & inside)


def lowered(image: Mask, side: int, columns: Mask, step_mm: float) -> Mask:
    """The mirror image as low as its own dome: on the left lower in some columns, else higher.

    Parameters
    ----------
    image : ndarray of bool
        Axes (z, y, x), z to the head.
    side : int
        Where it is: ``RIGHT`` or ``LEFT``.
    columns : ndarray of bool
        Axes (y, x): where it may be lower.
    step_mm : float
        From slice to slice.
    """
    steps = min(int(_LOWER_MM / step_mm + 0.5), len(image))
    moved = np.zeros_like(image)
    if side == LEFT:
        moved[: len(moved) - steps] = image[steps:]
        return np.asarray(image | (moved & columns))
    moved[steps:] = image[: len(moved) - steps]
    return np.asarray(image & moved)


def midst(
    side: int, solid: NDArray[np.uint8], twice_middle: int, blocks: Blocks
) -> Callable[[Box], Mask]:
    """Spine, great vessels and heart, where the mirror image of a lung is none.

    Parameters
    ----------
    side : int
        Of the image: ``RIGHT`` or ``LEFT``.
    solid : ndarray of uint8
        Both lungs, axes (z, y, x); their width and depth are the measure.
    twice_middle : int
        Twice the middle column.
    blocks : Blocks
        The coarse volume.

    Returns
    -------
    callable
        Gives the mask of a box of blocks.
    """
    used: Mask = np.asarray((solid > 0).any(axis=0))
    rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
    slices = np.flatnonzero((solid > 0).any(axis=(1, 2)))
    dz, dy, dx = blocks.spacing_mm
    deep, wide = (rows[-1] - rows[0] + 1) * dy, (columns[-1] - columns[0] + 1) * dx
    to_left = (np.arange(solid.shape[2]) - twice_middle / 2) * dx / wide
    behind = (np.arange(solid.shape[1]) - rows[0]) * dy / deep
    down = (slices.mean() - np.arange(len(solid))) * dz / wide

    def within(box: Box) -> Mask:
        z, y, x = np.ix_(down[box[0]], behind[box[1]], to_left[box[2]])
        inside = np.zeros([axis.size for axis in (z, y, x)], np.bool_)
        for left, back, half_wide, half_deep, leftward, forward in (_HEART, _BEHIND_HEART[side]):
            across = ((x - left - leftward * z) / half_wide) ** 2
            along = ((y - back + forward * z) / half_deep) ** 2
            inside |= across + along < 1
        return inside

    return within
