"""Which air lies inside the patient: neither the table, nor clothing, nor a cut field confuses it.

The air outside is not found by a fill from the corner: the table cuts it in two, a circular field
closes it off, and a lung that is cut by the field opens into it. Instead every block looks along
its slice in the four directions of the image: inside the chest at least three of the four meet the
body, outside at most two do.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MIN
from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.morphology import Mask, erode
from lungprep.image.volume import Volume

# Volumes are clipped here, and what the scanner did not measure is set to it.
_TISSUE_HU = -300


def padding(volume: Volume) -> Mask:
    """Columns (y, x) that hold padding in every slice: outside the circular field of view."""
    return np.asarray(np.asarray(volume.hu).max(axis=0) <= HU_MIN)


def body_core(blocks: Blocks, *, wall_mm: float) -> Mask:
    """Largest piece of tissue after shaving off `wall_mm`.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume.
    wall_mm : float
        Depth to shave off: sheets up to twice as thick (table, clothing, tubes) vanish, and with
        them what ties the patient to the table.

    Returns
    -------
    ndarray of bool
        Shape of the blocks; empty if nothing is left.
    """
    shaved = erode(blocks.hu > _TISSUE_HU, wall_mm, blocks.spacing_mm)
    pieces = cc3d.connected_components(shaved, connectivity=6)
    count = np.bincount(pieces.ravel())
    count[0] = 0
    return np.asarray((pieces == count.argmax()) & shaved)


def enclosed(core: Mask) -> Mask:
    """Blocks from which at least three of the directions ±x, ±y meet the core in their slice.

    Parameters
    ----------
    core : ndarray of bool
        From `body_core`, axes (z, y, x).

    Returns
    -------
    ndarray of bool
        The inside of the body, its cavities included. Three and not four, so that a lung that
        the field cuts on one side is still inside.
    """
    walls = np.zeros(core.shape, np.uint8)
    for axis in (1, 2):
        size = core.shape[axis]
        along = np.arange(size).reshape([size if a == axis else 1 for a in range(3)])
        some = core.any(axis=axis, keepdims=True)
        first = core.argmax(axis=axis, keepdims=True)
        last = size - 1 - np.flip(core, axis).argmax(axis=axis, keepdims=True)
        walls += along > np.where(some, first, size)
        walls += along < np.where(some, last, -1)
    return np.asarray(walls >= 3)


def field_border(padded: Mask) -> NDArray[np.bool_]:
    """Columns (y, x) on the edge of the image or beside padding."""
    framed = np.pad(~padded, 1)
    inner = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return ~padded & ~inner
