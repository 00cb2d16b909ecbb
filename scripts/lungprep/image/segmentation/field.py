"""The lung field: which pieces of inner air are lung, and which are bowel, stomach or oesophagus.

Gas is near -1000 HU through and through. Lung holds tissue: even in severe emphysema the inner
part of a piece of lung averages above -960 HU.
"""

import cc3d
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.morphology import Mask, Spacing, bounding_box, dilate, erode

# Deep enough that the walls of a gas-filled loop no longer raise its mean.
_RIND_MM = 4.0
# A lung is at least this share of the other one, or it is a fragment that has to lie close by.
_SMALLER_LUNG = 0.1
_FRAGMENT_ML = 0.5


def lung_field(
    blocks: Blocks, air: Mask, *, gas_hu: float, fragment_mm: float, smallest_ml: float
) -> tuple[NDArray[np.uint8], Mask]:
    """Number the pieces of lung and tell them from other air.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume.
    air : ndarray of bool
        Air inside the body without the large airways, axes (z, y, x).
    gas_hu : float
        Pieces whose inner mean is lower are gas.
    fragment_mm : float
        Largest distance of a small piece from a lung that it can belong to.
    smallest_ml : float
        Smaller pieces are no lung of their own.

    Returns
    -------
    field : ndarray of uint8
        0 elsewhere, 1 for fragments, 2 and up for the lungs, the largest first (one number for
        both where they are joined). All 0 where nothing looks like lung.
    other : ndarray of bool
        Pieces of air that are no lung, apart from specks.
    """
    field, other = np.zeros(air.shape, np.uint8), np.zeros(air.shape, np.bool_)
    if not air.any():
        return field, other
    box = bounding_box(air, 0, blocks.spacing_mm)
    pieces, count = cc3d.connected_components(air[box], connectivity=6, return_N=True)
    size_ml = np.bincount(pieces.ravel(), minlength=count + 1) * blocks.block_ml
    size_ml[0] = 0
    inner = _inner_mean(blocks.hu[box], pieces, air[box], blocks.spacing_mm)
    lung_ml = np.where(inner < gas_hu, 0, size_ml)
    large = max(_SMALLER_LUNG * lung_ml.max(), smallest_ml)
    lungs = [i for i in np.argsort(-lung_ml, kind="stable") if lung_ml[i] >= large]
    numbers = np.zeros(count + 1, np.uint8)
    numbers[lungs] = np.arange(2, 2 + len(lungs))
    fragments = (numbers == 0) & (lung_ml >= _FRAGMENT_ML)
    if fragments.any():
        near = dilate(numbers[pieces] > 0, fragment_mm, blocks.spacing_mm)
        numbers[np.unique(pieces[near & fragments[pieces]])] = 1
    field[box] = numbers[pieces]
    other[box] = ((numbers == 0) & (size_ml >= _FRAGMENT_ML))[pieces]
    return field, other


def cut_lung(blocks: Blocks, field: NDArray[np.uint8], beyond: Mask, *, gas_hu: float) -> Mask:
    """Air beyond the enclosed body that continues a lung: a narrow field has cut the wall away.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume.
    field : ndarray of uint8
        From `lung_field`, axes (z, y, x).
    beyond : ndarray of bool
        Air that is neither enclosed nor padding.
    gas_hu : float
        Pieces whose inner mean is lower are room air.

    Returns
    -------
    ndarray of bool
        Empty for lungs that tissue surrounds, which is the rule and costs next to nothing.
    """
    touched = dilate(field > 0, max(blocks.spacing_mm), blocks.spacing_mm) & beyond
    if not touched.any():
        return touched
    pieces, count = cc3d.connected_components(beyond, connectivity=6, return_N=True)
    lung = np.zeros(count + 1, np.bool_)
    lung[np.unique(pieces[touched])] = True
    lung &= _inner_mean(blocks.hu, pieces, beyond, blocks.spacing_mm) >= gas_hu
    return np.asarray(lung[pieces])


def _inner_mean(
    hu: NDArray[np.int16], pieces: NDArray[np.unsignedinteger], air: Mask, spacing_mm: Spacing
) -> NDArray[np.float64]:
    """Mean HU per piece below its rind; 0 for pieces that are all rind."""
    inner = erode(air, _RIND_MM, spacing_mm)
    which = pieces[inner]
    size = int(pieces.max(initial=0)) + 1
    total = np.bincount(which, weights=hu[inner], minlength=size)
    return np.asarray(total / np.maximum(np.bincount(which, minlength=size), 1))
