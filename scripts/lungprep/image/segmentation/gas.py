"""Gas that is no lung though it may touch one.

It is stomach or bowel under a thin diaphragm, or lies free in the pleural space (pneumothorax).
Gas is as light as the air in the trachea, and has no structure. Lung holds tissue: even emphysema
is heavier once it is averaged over a few millimetres. Bullae are as light, but they are lung: they
lie in it, and lung carries them. Bowel lies below lung and rests on tissue, free gas lies along the
chest wall.
"""

from typing import NamedTuple

import cc3d
import numpy as np

from lungprep.image.segmentation.blocks import Blocks, smoothed
from lungprep.image.segmentation.morphology import (
    Mask,
    bounding_box,
    dilate,
    erode,
    neighbours,
    spread,
)

_PURE_HU = -990.0
_USUAL_PURE_HU = (-1010.0, -960.0)
_LUMEN_MM = 2.0
# How much heavier than the air of the trachea gas may seem, through noise and scatter.
_HEAVIER_HU = 18.0
_CORE_MM = 2.0
_LEAST_ML = 3.0
# Bowel: this share of its columns has lung above, and of them hardly any rests on lung as well.
_ABOVE, _BELOW = 0.2, 0.2
# Lung below this much tissue carries no gas; a wall of a bulla is thinner.
_FLOOR_MM = 6.0
# Blur, averages and the erosion of a core make a rim around it that is as heavy as lung, in blocks.
RIM = 3
_FREE_ML = 30.0
_LUNG_ML = 20.0
# Between the cores of gas and lung lie their rims and the pleura, but no chest wall.
_BESIDE_MM = 12.0
_AT_WALL = 0.4
# Between the cores of gas and lung the nearer one wins.
_BETWEEN_MM = 10.0


class Gas(NamedTuple):
    """What is no lung.

    Attributes
    ----------
    where : ndarray of bool
        Axes (z, y, x) of the blocks.
    pleural_ml : float
        How much of it lies free beside a lung, without its blurred rim.
    base_ml : float
        How much of it below a lung runs into it, so that it could be part of it.
    """

    where: Mask
    pleural_ml: float
    base_ml: float


def gas_limit_hu(blocks: Blocks, lumen: Mask) -> float:
    """HU below which the mean over a few millimetres is that of gas.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume.
    lumen : ndarray of bool
        Trachea and main bronchi; a scan's own gas is measured there.
    """
    core = erode(lumen, _LUMEN_MM, blocks.spacing_mm)
    pure = _PURE_HU
    if core.any():
        # Noise is cut off at the scale's end, so that its mean is heavier than its median. Cores
        # are looked for by their means.
        box = bounding_box(core, max(blocks.spacing_mm), blocks.spacing_mm)
        share = smoothed(core[box])
        mean = smoothed(blocks.hu[box] * core[box]) / np.maximum(share, 1e-6)
        pure = float(np.median(mean[core[box]]))
    return float(np.clip(pure, *_USUAL_PURE_HU)) + _HEAVIER_HU


def free_gas(blocks: Blocks, air: Mask, limit_hu: float) -> Gas:
    """Find gas among the air inside the body that is bowel, or free in the pleural space.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x), z towards the head.
    air : ndarray of bool
        Air inside the body without the large airways.
    limit_hu : float
        From `gas_limit_hu`.

    Returns
    -------
    Gas
        None in most scans, which costs next to nothing.
    """
    gas = np.zeros_like(air)
    if not air.any():
        return Gas(gas, 0.0, 0.0)
    box = bounding_box(air, 0, blocks.spacing_mm)
    inner, smooth = air[box], smoothed(blocks.hu[box])
    cores = erode((smooth < limit_hu) & inner, _CORE_MM, blocks.spacing_mm)
    pieces, count = cc3d.connected_components(cores, connectivity=6, return_N=True)
    size_ml = np.bincount(pieces.ravel(), minlength=count + 1) * blocks.block_ml
    size_ml[0] = 0
    large = np.flatnonzero(size_ml >= _LEAST_ML)
    if not large.size:
        return Gas(gas, 0.0, 0.0)
    lung = erode(inner & (smooth >= limit_hu), _CORE_MM, blocks.spacing_mm)
    # The rims of gas are no lung.
    lung = cc3d.dust(lung, threshold=_LUNG_ML / blocks.block_ml, connectivity=6)
    parenchyma = inner & (smooth >= limit_hu)
    parenchyma &= ~dilate(np.isin(pieces, large), RIM, (1.0, 1.0, 1.0))
    parenchyma = cc3d.dust(parenchyma, threshold=_LUNG_ML / blocks.block_ml, connectivity=6)
    rests = rests_on(parenchyma, ~inner, blocks.spacing_mm[0])
    bowel = [n for n in large if is_bowel(pieces == n, parenchyma, rests)]
    pleural = [n for n in large if n not in bowel and _is_free(pieces == n, lung, inner, blocks)]
    if bowel:
        gas[box] = pockets(np.isin(pieces, bowel), smooth < limit_hu, inner, parenchyma)
    core = np.isin(pieces, pleural)
    if core.any():
        rest = inner & ~dilate(core, _BETWEEN_MM, blocks.spacing_mm)
        seeds = core + np.uint8(2) * (rest | (cores & ~core))
        gas[box] |= spread(seeds, _BETWEEN_MM, blocks.spacing_mm, within=inner) == 1
    if pleural:
        pure = inner & (blocks.hu[box] < limit_hu)
        gas[box] |= _connected(np.isin(pieces, pleural), pure)
    joined = [n for n in bowel if _runs_into(pieces == n, lung, inner)]
    return Gas(gas, float(size_ml[pleural].sum()), float(size_ml[joined].sum()))


def is_bowel(core: Mask, lung: Mask, rests: Mask) -> bool:
    """Whether lung lies above, and none carries it."""
    columns = core.any(axis=0)
    bottom, top = core.argmax(axis=0), len(core) - 1 - core[::-1].argmax(axis=0)
    z = np.arange(len(core))[:, np.newaxis, np.newaxis]
    above = (lung & (z > top)).any(axis=0)[columns].mean()
    below = np.take_along_axis(rests, bottom[np.newaxis], axis=0)[0][columns].mean()
    return bool(above >= _ABOVE and below <= _BELOW * above)


def rests_on(lung: Mask, tissue: Mask, step_mm: float) -> Mask:
    """Where the next thing below a block is lung, without a floor of tissue between."""
    rests = np.zeros_like(lung)
    carried = np.zeros(lung.shape[1:], np.bool_)
    floor_mm = np.zeros(lung.shape[1:], np.float32)
    for z in range(len(lung)):
        rests[z] = carried
        floor_mm = np.where(tissue[z], floor_mm + np.float32(step_mm), np.float32(0))
        carried = lung[z] | (carried & (floor_mm < _FLOOR_MM))
    return rests


def pockets(cores: Mask, pure: Mask, air: Mask, lung: Mask) -> Mask:
    """All gas of the bowel: its arms that are too thin for a core, its rims, what they cut off."""
    steps = (1.0, 1.0, 1.0)
    pure = _connected(cores, pure & air)
    rest = air & ~dilate(pure, RIM + 1, steps)
    seeds = pure + np.uint8(2) * rest
    gas = spread(seeds, RIM + 1, steps, within=air) == 1
    pieces = cc3d.connected_components(air & ~gas, connectivity=6)
    beside = np.setdiff1d(pieces[dilate(gas, 1.0, steps)], 0)
    return np.asarray(gas | np.isin(pieces, np.setdiff1d(beside, pieces[lung & ~gas])))


def _connected(core: Mask, pure: Mask) -> Mask:
    """What hangs together with a core, thinner parts too."""
    pieces = cc3d.connected_components(pure, connectivity=6)
    return np.isin(pieces, np.setdiff1d(pieces[core], 0))


def _runs_into(core: Mask, lung: Mask, air: Mask) -> bool:
    """Whether air leads from gas to lung."""
    pieces = cc3d.connected_components(air, connectivity=6)
    return bool(np.isin(pieces[core], pieces[lung]).any())


def _is_free(core: Mask, lung: Mask, air: Mask, blocks: Blocks) -> bool:
    """Whether a large core lies beside lung, and much of its surface along tissue."""
    if np.count_nonzero(core) * blocks.block_ml < _FREE_ML:
        return False
    if not (dilate(core, _BESIDE_MM, blocks.spacing_mm) & lung).any():
        return False
    grown = dilate(core, 3 * _CORE_MM, blocks.spacing_mm) & air
    to_tissue = to_air = 0.0
    for here, beside, mm2 in neighbours(blocks.spacing_mm):
        face = grown[here] & ~grown[beside]
        is_air = air[beside][face]
        to_air += mm2 * np.count_nonzero(is_air)
        to_tissue += mm2 * np.count_nonzero(~is_air)
    return to_tissue >= _AT_WALL * (to_tissue + to_air)
