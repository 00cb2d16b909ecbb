"""A phantom sampled as a scanner does: averaged over voxels, blurred, with noise; and its truth."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Grid, Triple, Volume
from lungprep_demo.phantom.anatomy import Part
from lungprep_demo.phantom.chest import Phantom
from lungprep_demo.phantom.shapes import Solid
from lungs.anatomy import Region

HU_MIN, HU_MAX = -1024, 3071
_PSF_MM = 0.5
_TEXTURE_HU = 22.0
_GRAVITY_HU_PER_MM = 0.25

Box = tuple[Triple, Triple]
#: (x, y, z) from and to, for a chest with both arms up.
CHEST: Box = ((-186.0, -136.0, -186.0), (186.0, 164.0, 166.0))


@dataclass(frozen=True)
class Scene:
    """A scan with its truth.

    Attributes
    ----------
    volume : Volume
        What `segment` gets.
    truth : ndarray of uint8
        `Region` per voxel.
    lesions : list of ndarray of bool
        The lung's part of each lesion.
    sided : bool
        Whether right and left can be told at all.
    """

    volume: Volume
    truth: NDArray[np.uint8]
    lesions: list[NDArray[np.bool_]] = field(default_factory=list)
    sided: bool = True


Effect = Callable[[Scene], Scene]


@lru_cache(maxsize=1)
def render(
    phantom: Phantom, spacing_mm: Triple, box: Box = CHEST, lesions: tuple[Solid, ...] = ()
) -> Scene:
    """Sample a phantom.

    Parameters
    ----------
    phantom : Phantom
        With `Region` as labels.
    spacing_mm : tuple of float
        Voxel (z, y, x).
    box : pair of tuple of float
        Field (x, y, z), from and to.
    lesions : tuple of Solid
        Of the phantom, for their masks.

    Returns
    -------
    Scene
        Read-only for callers: it is kept for the next effect on the same phantom.
    """
    grid = _grid(spacing_mm, box)
    fine, factors = _fine_grid(grid)
    hu = np.empty(grid.shape, np.float32)
    truth = np.empty(grid.shape, np.uint8)
    for z in range(grid.shape[0]):
        hu[z], truth[z] = _slice(phantom, fine, factors, z, grid.shape[1:])
    _add_texture(hu, truth, grid)
    blurred = blur(hu, _PSF_MM, spacing_mm)
    scene = Scene(Volume(_stored(blurred), grid), truth)
    masks = [_where(solid, phantom.scale, grid) & (truth <= 2) & (truth > 0) for solid in lesions]
    return replace(scene, lesions=masks)


def blur(hu: NDArray[np.float32], sigma_mm: float, spacing_mm: Triple) -> NDArray[np.float32]:
    """Gaussian of a volume, every axis in mm."""
    sz, sy, sx = (sigma_mm / step for step in spacing_mm)
    planes = np.stack([cv2.GaussianBlur(s, (0, 0), sigmaX=sx, sigmaY=sy) for s in hu])
    if sz < 0.2:
        return planes
    half = ceil(3 * sz)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sz) ** 2)
    flat = planes.reshape(len(planes), -1)
    kernel = (weights / weights.sum()).astype(np.float32)[:, None]
    mixed = cv2.sepFilter2D(
        flat, -1, np.ones((1, 1), np.float32), kernel, borderType=cv2.BORDER_REPLICATE
    )
    result: NDArray[np.float32] = mixed.reshape(planes.shape)
    return result


def _grid(spacing_mm: Triple, box: Box) -> Grid:
    low, high = box
    z, y, x = (
        round((b - a) / s) for a, b, s in zip(low[::-1], high[::-1], spacing_mm, strict=True)
    )
    ox, oy, oz = (a + s / 2 for a, s in zip(low, spacing_mm[::-1], strict=True))
    return Grid((z, y, x), spacing_mm, (ox, oy, oz))


def _fine_grid(grid: Grid) -> tuple[Grid, tuple[int, int, int]]:
    """Samples at most 1 mm apart, at least two per voxel and axis."""
    kz, ky, kx = (max(2, ceil(step / 1.0)) for step in grid.spacing_mm)
    sz, sy, sx = (s / k for s, k in zip(grid.spacing_mm, (kz, ky, kx), strict=True))
    z, y, x = (n * k for n, k in zip(grid.shape, (kz, ky, kx), strict=True))
    ox, oy, oz = (
        o - s / 2 + f / 2
        for o, s, f in zip(grid.origin_mm, grid.spacing_mm[::-1], (sx, sy, sz), strict=True)
    )
    return Grid((z, y, x), (sz, sy, sx), (ox, oy, oz)), (kz, ky, kx)


def _slice(
    phantom: Phantom, fine: Grid, factors: tuple[int, int, int], z: int, shape: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Mean HU of one slice's voxels, and their regions: a lung's where that is most of a voxel."""
    kz, ky, kx = factors
    slab = fine.window((z * kz, 0, 0), ((z + 1) * kz, *fine.shape[1:]))
    near = replace(phantom, parts=_near(phantom, slab))
    total = np.zeros(shape, np.float32)
    shares = {side: np.zeros(shape, np.float32) for side in (Region.RIGHT, Region.LEFT)}
    region = np.zeros(shape, np.uint8)
    for hu, labels in near.planes(slab):
        for i in range(ky * kx):
            np.maximum(region, labels[i // kx :: ky, i % kx :: kx], out=region)
        total += cv2.resize(hu, shape[::-1], interpolation=cv2.INTER_AREA)
        for side, share in shares.items():
            mask = (labels == side).astype(np.float32)
            share += cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_AREA)
    region[region <= 2] = Region.OTHER
    for side, share in shares.items():
        region[share > kz / 2] = side
    return total / kz, region


def _near(phantom: Phantom, slab: Grid) -> tuple[Part, ...]:
    """Parts whose box reaches into a slab of slices."""
    scale = phantom.scale
    low = (slab.origin_mm[2] - phantom.centre_mm[2]) / scale
    high = low + (slab.shape[0] - 1) * slab.spacing_mm[0] / scale
    kept = []
    for part in phantom.parts:
        (_, _, centre), (_, _, half) = part.solid.box
        if centre - half <= high and centre + half >= low:
            kept.append(part)
    return tuple(kept)


def _where(solid: Solid, scale: float, grid: Grid) -> NDArray[np.bool_]:
    return Phantom((Part(solid, 0.0, 1),), scale=scale).labels(grid) > 0


def _add_texture(hu: NDArray[np.float32], truth: NDArray[np.uint8], grid: Grid) -> None:
    """Mottle of the parenchyma, denser towards the back, where gravity draws the blood."""
    random = np.random.default_rng(3)
    y = grid.origin_mm[1] + grid.spacing_mm[1] * np.arange(grid.shape[1], dtype=np.float32)
    _, dy, dx = grid.spacing_mm
    for z, slice_ in enumerate(hu):
        aerated = (truth[z] > 0) & (truth[z] <= 2) & (slice_ < -700) & (slice_ > -960)
        if not aerated.any():
            continue
        mottle = cv2.GaussianBlur(
            random.standard_normal(slice_.shape, np.float32), (0, 0), 1.5 / dx, sigmaY=1.5 / dy
        )
        mottle *= _TEXTURE_HU / max(float(mottle.std()), 1e-3)
        slice_[aerated] += (mottle + _GRAVITY_HU_PER_MM * y[:, None])[aerated]


def _stored(hu: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.clip(np.rint(hu), HU_MIN, HU_MAX).astype(np.int16)
