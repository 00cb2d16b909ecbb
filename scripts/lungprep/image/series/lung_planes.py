"""Find lung in one slice, in blocks of a few millimetres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MIN
from lungprep.image.series.geometry import Floats

Mask = NDArray[np.bool_]

# Size of the blocks over which a slice is averaged, to remove the noise of a sharp kernel.
BLOCK_MM = 4.0
# Mean HU of a block of lung. Gas in the bowel, the stomach or the trachea is darker.
LUNG_HU = (-965.0, -500.0)
# Limit between gas and lung if the slice shows air around the body: above that air by this much,
# within bounds.
ABOVE_AIR_HU, GAS_HU = 25.0, (-975.0, -930.0)
TISSUE_HU = -300.0
# Means of fewer pixels than this are still noisy with a sharp kernel.
NOISY = 9
# Means from which a block is only tissue, or only lung.
ALL_TISSUE_HU, ALL_LUNG_HU = -150.0, -850.0
# Least fraction of a piece of lung that is surrounded by the body and not a thin layer.
INSIDE_SHARE = 0.1
# Depth of the erosion of tissue, so that table and clothes do not count as body.
WALL_MM = 8.0


@dataclass(frozen=True)
class Plane:
    """Lung in one slice."""

    area_mm2: float
    outline: int
    on_border: int
    extents_mm: tuple[float, float]
    mean_hu: float


def lungs_in(hu: NDArray[np.int16], spacing_mm: tuple[float, float]) -> Plane:
    """Find regions of lung density that are not thin layers and are surrounded by the body."""
    blocks, sizes = _block_means(hu, spacing_mm)
    measured = blocks > HU_MIN
    pixels = sizes[0] * sizes[1] / (spacing_mm[0] * spacing_mm[1])
    smooth = _smoothed(blocks) if pixels < NOISY and max(sizes) < 1.2 * BLOCK_MM else blocks
    gas_hu = _gas_limit(smooth[measured])
    thick = measured & (smooth > gas_hu) & (smooth < LUNG_HU[1])
    # Between gas and tissue, thin layers have the mean density of lung.
    thick = ~_eroded(~_eroded(thick, 1, 1), 1, 1)
    rows, columns = (max(1, round(WALL_MM / size)) for size in sizes)
    inside = thick & _enclosed(_eroded(smooth > TISSUE_HU, rows, columns))
    lungs = _pieces(measured & (blocks > gas_hu) & (blocks < LUNG_HU[1]), inside)
    framed = np.pad(measured, 1)
    # Two blocks deep: on the edge of a circular field, blocks mix lung and padding.
    border = measured & ~_eroded(framed, 2, 2)[1:-1, 1:-1]
    on_border = int(np.count_nonzero(lungs & border))
    # Blocks count by their fraction of lung, so the area does not depend on the size of blocks.
    around = ~_eroded(~lungs, 1, 1)
    shares = np.clip((ALL_TISSUE_HU - blocks[around]) / (ALL_TISSUE_HU - ALL_LUNG_HU), 0, 1)
    return Plane(
        area_mm2=float(shares.sum()) * sizes[0] * sizes[1],
        outline=int(np.count_nonzero(lungs & ~border & ~_eroded(lungs, 1, 1))) + on_border,
        on_border=on_border,
        extents_mm=(_extent(lungs, 0) * sizes[0], _extent(lungs, 1) * sizes[1]),
        mean_hu=float(blocks.mean()),
    )


def _smoothed(blocks: Floats) -> Floats:
    """Average over 3 x 3 blocks."""
    rows, columns = blocks.shape
    padded = np.pad(blocks, 1, mode="edge")
    total: Floats = np.zeros_like(blocks)
    for i, j in np.ndindex(3, 3):
        total += padded[i : i + rows, j : j + columns]
    return total / 9


def _block_means(
    hu: NDArray[np.int16], spacing_mm: tuple[float, float]
) -> tuple[Floats, tuple[float, float]]:
    """Return the means of blocks of about `BLOCK_MM`, without incomplete blocks, and their size."""
    down, across = (
        min(n, max(1, round(BLOCK_MM / gap))) for n, gap in zip(hu.shape, spacing_mm, strict=True)
    )
    rows, columns = hu.shape[0] // down, hu.shape[1] // across
    whole = hu[: rows * down, : columns * across].reshape(rows, down, columns, across)
    return whole.mean(axis=(1, 3)), (down * spacing_mm[0], across * spacing_mm[1])


def _gas_limit(blocks: Floats) -> float:
    """Return the mean HU up to which a block is gas: above air, which clipped noise brightens."""
    air = float(np.percentile(blocks, 5)) if blocks.size else 0.0
    return float(np.clip(air + ABOVE_AIR_HU, *GAS_HU)) if air < GAS_HU[1] else LUNG_HU[0]


def _eroded(mask: Mask, rows: int, columns: int) -> Mask:
    """Erode a mask by some pixels; regions at the edge of the image continue beyond it."""
    for axis, reach in ((0, rows), (1, columns)):
        width = [(reach, reach) if a == axis else (0, 0) for a in (0, 1)]
        padded, size = np.pad(mask, width, mode="edge"), mask.shape[axis]
        shifted = [padded.take(range(k, k + size), axis) for k in range(2 * reach + 1)]
        mask = np.logical_and.reduce(shifted)
    return mask


def _enclosed(body: Mask) -> Mask:
    """Mark the pixels from which at least three of four directions in the image meet the body."""
    walls = np.zeros(body.shape, np.uint8)
    for axis in (0, 1):
        walls += np.logical_or.accumulate(body, axis)
        walls += np.flip(np.logical_or.accumulate(np.flip(body, axis), axis), axis)
    return np.asarray(walls >= 3)


def _pieces(lungs: Mask, inside: Mask) -> Mask:
    """Keep whole pieces with a fair part inside the body: lungs cut by the field, but not foam."""
    # Imported here because only prefixes with several series need it.
    import cc3d

    pieces = cc3d.connected_components(lungs.astype(np.uint8), connectivity=4)
    sizes = np.bincount(pieces.ravel())
    within = np.bincount(pieces[inside], minlength=sizes.size)
    kept = within >= INSIDE_SHARE * sizes
    kept[0] = False
    return np.asarray(kept[pieces])


def _extent(mask: Mask, axis: int) -> int:
    """Return the extent of a mask along an axis, in rows or columns."""
    found = np.flatnonzero(mask.any(axis=1 - axis))
    return int(found[-1] - found[0]) + 1 if found.size else 0
