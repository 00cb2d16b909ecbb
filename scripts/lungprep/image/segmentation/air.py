"""What the air of a scan is: airways, lungs, other air inside the patient, and the room."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.airways import Airways, find_airways
from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.body import body_core, enclosed
from lungprep.image.segmentation.body_size import body_cm2
from lungprep.image.segmentation.field import cut_lung, lung_field
from lungprep.image.segmentation.gas import free_gas, gas_limit_hu
from lungprep.image.segmentation.morphology import Mask, dilate
from lungprep.image.segmentation.scattered import scattered_gas


@dataclass(frozen=True)
class Limits:
    """What counts as air, and distances inside the chest; see `segment`.

    `smallest_ml` is the least volume of a lung beside a larger one.
    """

    air_hu: float
    wall_mm: float
    bronchus_mm: float
    fragment_mm: float
    smallest_ml: float


@dataclass(frozen=True)
class Air:
    """What the air of a scan is, on the blocks.

    Attributes
    ----------
    everywhere : ndarray of bool
        All but the airways, with the room around the patient.
    airways : Airways
        Trachea and main bronchi.
    walls : ndarray of bool
        The airways with their walls.
    lungs : ndarray of uint8
        From `lung_field`.
    other : ndarray of bool
        Other air inside the patient.
    gas_hu : float
        From `gas_limit_hu`.
    pleural_gas_ml, base_gas_ml : float
        Parts of `other`, from `lungprep.image.segmentation.gas`.
    body_cm2 : float
        From `lungprep.image.segmentation.body_size.body_cm2`.
    middle_mm : float or None
        x of the trachea from the middle of the first block; without one, of the middle of the
        body, for a lung's own middle says nothing where it is the only one.
    """

    everywhere: Mask
    airways: Airways
    walls: Mask
    lungs: NDArray[np.uint8]
    other: Mask
    gas_hu: float
    pleural_gas_ml: float
    base_gas_ml: float
    body_cm2: float
    middle_mm: float | None


def find_air(blocks: Blocks, padded: Mask, limits: Limits) -> Air:
    """Tell apart what air there is.

    A field that is narrower than the patient cuts the chest wall away. Then lungs count as inside
    for what lies between them.

    Parameters
    ----------
    blocks : Blocks
        The coarse volume, axes (z, y, x).
    padded : ndarray of bool
        Columns (y, x) of blocks that were not scanned.
    limits : Limits
    """
    core = body_core(blocks, wall_mm=limits.wall_mm)
    inside = enclosed(core)
    air = _inside(blocks, padded, limits, inside, core)
    cut = cut_lung(blocks, air.lungs, air.everywhere & ~inside, gas_hu=air.gas_hu)
    if cut.any():
        inside |= cut | enclosed(core | cut | (air.lungs > 0))
        air = _inside(blocks, padded, limits, inside, core)
    return air


def _inside(blocks: Blocks, padded: Mask, limits: Limits, inside: Mask, core: Mask) -> Air:
    airways = find_airways(blocks, inside, reach_mm=limits.bronchus_mm)
    walls = dilate(airways.lumen, max(blocks.spacing_mm[1:]), blocks.spacing_mm)
    air = (blocks.hu < limits.air_hu) & ~walls & ~padded
    gas_hu = gas_limit_hu(blocks, airways.lumen)
    gas = free_gas(blocks, air & inside, gas_hu)
    scattered, scattered_ml = scattered_gas(blocks, air & inside & ~gas.where, gas_hu)
    bowel = gas.where | scattered
    rest = air & inside & ~bowel
    lungs, other = lung_field(
        blocks,
        rest,
        gas_hu=gas_hu,
        fragment_mm=limits.fragment_mm,
        smallest_ml=limits.smallest_ml,
    )
    middle_mm = airways.middle_mm
    if middle_mm is None:
        middle_mm = _middle_mm(core, blocks.spacing_mm[2])
    return Air(
        everywhere=air,
        airways=airways,
        walls=walls,
        lungs=lungs,
        other=other | bowel,
        gas_hu=gas_hu,
        pleural_gas_ml=gas.pleural_ml,
        base_gas_ml=gas.base_ml + scattered_ml,
        body_cm2=body_cm2(inside, blocks.spacing_mm),
        middle_mm=middle_mm,
    )


def _middle_mm(core: Mask, column_mm: float) -> float | None:
    columns = np.flatnonzero(core.any(axis=(0, 1)))
    return float(columns[0] + columns[-1]) / 2 * column_mm if columns.size else None
