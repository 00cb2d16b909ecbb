"""The air of a volume, seen on blocks in which small bodies are as large as adults."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation.air import Air, Limits, find_air
from lungprep.image.segmentation.blocks import Blocks, block_columns, block_means
from lungprep.image.segmentation.body_size import (
    LEAST_ML,
    SURE_ML,
    as_adult,
    body_scale,
    looks_like_lung,
)
from lungprep.image.segmentation.morphology import Mask
from lungprep.image.volume import Volume

# Small bodies are looked at again, as large as they are, until their size is known this well.
_LOOKS, _SAME_SIZE = 4, 0.1


@dataclass(frozen=True)
class Seen:
    """What was seen.

    Attributes
    ----------
    blocks : Blocks
        The coarse volume, as large as an adult.
    air : Air
        On these blocks.
    scale : float
        The body's size as a share of an adult's, along an axis.
    """

    blocks: Blocks
    air: Air
    scale: float

    @property
    def ml(self) -> float:
        """True volume of a block."""
        return self.blocks.block_ml * self.scale**3

    @property
    def true_blocks(self) -> Blocks:
        """The blocks as large as they are."""
        z, y, x = (step * self.scale for step in self.blocks.spacing_mm)
        return replace(self.blocks, spacing_mm=(z, y, x))


def see(volume: Volume, padded: Mask, limits: Limits, block_mm: float) -> Seen:
    """Find the air, in small bodies once more at the size that the first look tells.

    Parameters
    ----------
    volume : Volume
        HU, axes (z, y, x).
    padded : ndarray of bool
        Columns (y, x) outside the field of view.
    limits : Limits
        In mm and ml of an adult.
    block_mm : float
        Edge of the blocks.
    """
    scale = 1.0
    for _ in range(_LOOKS):
        blocks = block_means(as_adult(volume, scale), block_mm)
        columns = block_columns(padded, blocks)
        air = find_air(blocks, columns, limits)
        found = body_scale(air.body_cm2 * scale**2, blocks, columns)
        if abs(found / scale - 1) < _SAME_SIZE:
            break
        scale = found
    return Seen(blocks, air, scale)


def require(seen: Seen, volume: Volume, min_ml: float | None, scan_flags: Sequence[str]) -> None:
    """Refuse what holds no lungs.

    Parameters
    ----------
    seen : Seen
        From `see`.
    volume : Volume
        That it was seen in, for the message.
    min_ml : float or None
        Least volume of both lungs; None for what the body's size asks for.
    scan_flags : sequence of str
        What is known of the scan, for the message.

    Raises
    ------
    NoLungsFound
        Less than `min_ml`; by default also less than half a litre that does not look like lung.
    """
    lungs = seen.air.lungs > 0
    found_ml = np.count_nonzero(lungs) * seen.ml
    least_ml = LEAST_ML * seen.scale**3 if min_ml is None else min_ml
    few = found_ml < least_ml
    if not few and (min_ml is not None or found_ml >= SURE_ML):
        return
    if not few and looks_like_lung(lungs, seen.blocks, seen.air.gas_hu):
        return
    steps = zip(volume.grid.shape, volume.grid.spacing_mm, strict=True)
    z, y, x = (n * step for n, step in steps)
    known = f", in a scan flagged {', '.join(scan_flags)}" if scan_flags else ""
    lacks = (
        f"where lungs have at least {least_ml / 1000:.2f} l"
        if few
        else "but it is no tissue full of air that lies before ribs, as so small lungs do"
    )
    raise NoLungsFound(
        f"{found_ml / 1000:.2f} l of the {x:.0f} x {y:.0f} x {z:.0f} mm volume look like lung, "
        f"{lacks}{known}",
        "check that the series shows a chest and is in Hounsfield units, or leave this patient out",
    )
