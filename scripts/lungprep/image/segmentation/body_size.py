"""How large a body is, and what volume its lungs have at least.

Lungs grow with the body: in a chest of half the width they hold an eighth. A newborn's 0.08 l are
as many for its size as an adult's 5 l.
"""

from dataclasses import replace

import numpy as np

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.body import field_border
from lungprep.image.segmentation.morphology import Mask, erode
from lungprep.image.segmentation.pleural_space import backs
from lungprep.image.volume import Volume

# Slices of a trunk; those of neck and legs are smaller.
_TRUNK = 75
# A slim adult. Larger bodies do not have larger lungs, but more fat.
_ADULT_CM2 = 320.0
# Lungs of adults hold 1.5 to 8.5 l. With less than a third of that, they have to look like lungs.
SURE_ML = 500.0
# What is left after surgery, or beside an effusion.
LEAST_ML = 250.0
# The share of the field's border on which tissue lies where the field cuts the body.
_CUT = 0.15
_TISSUE_HU = -300
# Parenchyma: below its rind neither gas nor tissue. Newborns have -500 HU, bowel gas has -980.
_RIND_MM = 4.0
_HEAVIER_HU = 20.0
_DENSE_HU = -300.0
_INNER = 0.15
# The back of a lung lies against ribs and spine.
_RIB_MM = 14.0
_AT_RIBS = 0.5


def body_cm2(inside: Mask, spacing_mm: tuple[float, float, float]) -> float:
    """Cross-section of the trunk.

    Parameters
    ----------
    inside : ndarray of bool
        From `lungprep.image.segmentation.body.enclosed`, axes (z, y, x).
    spacing_mm : tuple of float
        Of the blocks.

    Returns
    -------
    float
        In cm², of the slice that is larger than three quarters of the slices with a body; 0
        without one.
    """
    areas = np.count_nonzero(inside.reshape(len(inside), -1), axis=1)
    areas = areas[areas > 0]
    mm2 = spacing_mm[1] * spacing_mm[2]
    return float(np.percentile(areas, _TRUNK)) * mm2 / 100 if areas.size else 0.0


def body_scale(cm2: float, blocks: Blocks, padded: Mask) -> float:
    """Size of a body as a share of an adult's, along an axis.

    Parameters
    ----------
    cm2 : float
        From `body_cm2`.
    blocks : Blocks
        The coarse volume.
    padded : ndarray of bool
        Columns (y, x) of blocks that were not scanned.

    Returns
    -------
    float
        1 for adults, and where the field cuts the body, so that its size is not known.
    """
    if not 0 < cm2 < _ADULT_CM2:
        return 1.0
    cut = (blocks.hu[:, field_border(padded)] > _TISSUE_HU).mean() > _CUT
    return 1.0 if cut else float(np.sqrt(cm2 / _ADULT_CM2))


def as_adult(volume: Volume, scale: float) -> Volume:
    """The same voxels as if they were larger, so that distances inside an adult hold."""
    dz, dy, dx = volume.grid.spacing_mm
    grid = replace(volume.grid, spacing_mm=(dz / scale, dy / scale, dx / scale))
    return Volume(volume.hu, grid)


def looks_like_lung(lungs: Mask, blocks: Blocks, gas_hu: float) -> bool:
    """Whether little air may be all that there is of lungs, and is no bowel, sinus or ear.

    Parameters
    ----------
    lungs : ndarray of bool
        Air that may be lung, axes (z, y, x).
    blocks : Blocks
        The coarse volume, of an adult or `as_adult`.
    gas_hu : float
        HU below which the mean over a few millimetres is that of gas.

    Returns
    -------
    bool
        Its inside is parenchyma, and it lies against ribs at the back.
    """
    if not lungs.any():
        return False
    inner = blocks.hu[erode(lungs, _RIND_MM, blocks.spacing_mm)]
    if inner.size < _INNER * np.count_nonzero(lungs):
        return False
    if not gas_hu + _HEAVIER_HU <= np.median(inner) <= _DENSE_HU:
        return False
    gaps = backs(blocks.hu, lungs, blocks.spacing_mm).gap_mm[lungs.any(axis=1)]
    return bool(np.mean(np.nan_to_num(gaps, nan=np.inf) <= _RIB_MM) >= _AT_RIBS)
