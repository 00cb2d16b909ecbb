"""Gas of the bowel that scatter makes heavier than the air of the trachea.

In the middle of a body, below the heart, gas may seem 40 HU heavier: as heavy as emphysema. But
emphysema has vessels and septa all over. Gas has nothing inside: what is heavier is at its wall,
and beyond the wall is tissue.
"""

import cc3d
import numpy as np

from lungprep.image.segmentation.blocks import Blocks, smoothed
from lungprep.image.segmentation.gas import RIM, is_bowel, pockets, rests_on
from lungprep.image.segmentation.morphology import Mask, bounding_box, dilate, erode, neighbours

# How much heavier than gas usually is, and the least that is looked at.
_HEAVIER_HU, _LEAST_ML = 30.0, 20.0
_CORE_MM, _SLICES_MM = 2.0, 6.0
_LUNG_ML = 20.0
# Blocks that are heavier than gas and not near tissue, as a share of a core: none in gas.
_STRUCTURE = 0.02
# Least share of the surface that is tissue; in coarse scans a thin diaphragm is none.
_IN_TISSUE = 0.4
_STEPS = (1.0, 1.0, 1.0)


def scattered_gas(blocks: Blocks, air: Mask, limit_hu: float) -> tuple[Mask, float]:
    """Find what lies below a lung as gas of the bowel does, and has nothing inside.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x), z towards the head.
    air : ndarray of bool
        Air inside the body without the large airways and the gas that is as light as theirs.
    limit_hu : float
        From `lungprep.image.segmentation.gas.gas_limit_hu`.

    Returns
    -------
    where : ndarray of bool
        Axes (z, y, x); empty in most scans.
    ml : float
        Volume of its cores.
    """
    gas = np.zeros_like(air)
    limit_hu += _HEAVIER_HU
    if not air.any() or not _may_be(blocks, air, limit_hu):
        return gas, 0.0
    box = bounding_box(air, 0, blocks.spacing_mm)
    inner, smooth = air[box], smoothed(blocks.hu[box])
    light = inner & (smooth < limit_hu)
    cores = erode(light, _CORE_MM, blocks.spacing_mm)
    if np.count_nonzero(cores) * blocks.block_ml < _LEAST_ML:
        return gas, 0.0
    pieces = cc3d.connected_components(cores, connectivity=6)
    size_ml = np.bincount(pieces[cores], minlength=1) * blocks.block_ml
    large = [
        n for n in np.flatnonzero(size_ml >= _LEAST_ML) if _is_plain(pieces == n, light, inner)
    ]
    if not large:
        return gas, 0.0
    parenchyma = inner & ~light & ~dilate(np.isin(pieces, large), RIM, _STEPS)
    parenchyma = cc3d.dust(parenchyma, threshold=_LUNG_ML / blocks.block_ml, connectivity=6)
    rests = rests_on(parenchyma, ~inner, blocks.spacing_mm[0])
    bowel = [n for n in large if is_bowel(pieces == n, parenchyma, rests)]
    if bowel:
        gas[box] = pockets(np.isin(pieces, bowel), smooth < limit_hu, inner, parenchyma)
    return gas, float(size_ml[bowel].sum())


def _may_be(blocks: Blocks, air: Mask, limit_hu: float) -> bool:
    """Whether so much is light, judged by some slices, as all are slow to look at."""
    step = max(1, round(_SLICES_MM / blocks.spacing_mm[0]))
    box = bounding_box(air, 0, blocks.spacing_mm)
    some = air[box][::step] & (smoothed(blocks.hu[box][::step]) < limit_hu)
    return bool(np.count_nonzero(some) * step * blocks.block_ml >= _LEAST_ML)


def _is_plain(core: Mask, light: Mask, air: Mask) -> bool:
    """Whether nothing is inside, and tissue all around."""
    box = bounding_box(core, 3 * RIM, _STEPS)
    core, light, air = core[box], light[box], air[box]
    near = dilate(core, 2 * RIM, _STEPS) & air
    structure = near & ~light & ~dilate(~air, RIM, _STEPS)
    if np.count_nonzero(structure) > _STRUCTURE * np.count_nonzero(core):
        return False
    grown = dilate(core, RIM, _STEPS) & air
    faces = tissue = 0
    for here, beside, _ in neighbours(_STEPS):
        face = grown[here] & ~grown[beside]
        faces += int(np.count_nonzero(face))
        tissue += int(np.count_nonzero(face & ~air[beside]))
    return tissue >= _IN_TISSUE * faces
