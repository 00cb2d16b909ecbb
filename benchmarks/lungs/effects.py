"""What scanners and protocols do to a scan: noise, kernels, fields of view, streaks."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling import resample
from lungprep.image.volume import Grid, Triple, Volume
from lungs.anatomy import Region
from lungs.rendering import HU_MAX, HU_MIN, Effect, Scene, blur


def noise(sigma_hu: float, seed: int = 7) -> Effect:
    """White noise; padding keeps its value."""

    def apply(scene: Scene) -> Scene:
        random = np.random.default_rng(seed)
        hu = scene.volume.hu.astype(np.float32)
        hu += np.float32(sigma_hu) * random.standard_normal(hu.shape, np.float32)
        return _with_hu(scene, hu)

    return apply


def soft(sigma_mm: float) -> Effect:
    """A smooth kernel."""

    def apply(scene: Scene) -> Scene:
        hu = scene.volume.hu.astype(np.float32)
        return _with_hu(scene, blur(hu, sigma_mm, scene.volume.grid.spacing_mm))

    return apply


def sharp(sigma_mm: float = 1.0, amount: float = 1.0) -> Effect:
    """A sharp kernel: unsharp masking, which overshoots at edges and lifts the noise."""

    def apply(scene: Scene) -> Scene:
        hu = scene.volume.hu.astype(np.float32)
        smooth = blur(hu, sigma_mm, scene.volume.grid.spacing_mm)
        return _with_hu(scene, hu + np.float32(amount) * (hu - smooth))

    return apply


def circle(radius_mm: float, centre_mm: tuple[float, float] = (0.0, 0.0)) -> Effect:
    """A circular field (x, y): padding outside, and no truth there."""

    def apply(scene: Scene) -> Scene:
        grid = scene.volume.grid
        y, x = (
            grid.origin_mm[axis] + grid.spacing_mm[2 - axis] * np.arange(grid.shape[2 - axis])
            for axis in (1, 0)
        )
        outside = (x - centre_mm[0]) ** 2 + (y[:, None] - centre_mm[1]) ** 2 > radius_mm**2
        hu, truth = scene.volume.hu.copy(), scene.truth.copy()
        hu[:, outside] = HU_MIN
        truth[:, outside] = Region.OTHER
        lesions = [mask & ~outside for mask in scene.lesions]
        return Scene(Volume(hu, grid), truth, lesions)

    return apply


def streaks(x_mm: float, y_mm: float, z_mm: tuple[float, float], strength_hu: float) -> Effect:
    """Dark and bright rays from metal in some slices, weaker with the distance."""

    def apply(scene: Scene) -> Scene:
        grid = scene.volume.grid
        hu = scene.volume.hu.astype(np.float32)
        oz, (dz, dy, dx) = grid.origin_mm[2], grid.spacing_mm
        x = grid.origin_mm[0] + dx * np.arange(grid.shape[2]) - x_mm
        y = (grid.origin_mm[1] + dy * np.arange(grid.shape[1]) - y_mm)[:, None]
        angle, distance = np.arctan2(y, x), np.hypot(x, y)
        rays = sum(np.sin(n * angle + n) for n in (2, 5, 11, 23)) / 2
        rays = (strength_hu * rays * 20 / (distance + 20)).astype(np.float32)
        rays[distance < 5] = 3000
        for z in range(grid.shape[0]):
            if z_mm[0] <= oz + dz * z <= z_mm[1]:
                hu[z] += rays
        return _with_hu(scene, hu)

    return apply


def scanned(spacing_mm: Triple, sigma_hu: float = 0.0) -> Effect:
    """Scanned with large voxels (z, y, x), a multiple of the scene's, and resampled to its own.

    That is what the workflow does with a coarse scan. The truth stays as fine as it is.
    """

    def apply(scene: Scene) -> Scene:
        grid = scene.volume.grid
        steps = zip(spacing_mm, grid.spacing_mm, strict=True)
        kz, ky, kx = (max(1, round(wanted / step)) for wanted, step in steps)
        z, y, x = (n // k for n, k in zip(grid.shape, (kz, ky, kx), strict=True))
        hu = scene.volume.hu[: z * kz, : y * ky, : x * kx].astype(np.float32)
        mean = hu.reshape(z, kz, y, ky, x, kx).mean(axis=(1, 3, 5))
        sz, sy, sx = (k * step for k, step in zip((kz, ky, kx), grid.spacing_mm, strict=True))
        ox, oy, oz = (
            o + (wide - step) / 2
            for o, wide, step in zip(
                grid.origin_mm, (sx, sy, sz), grid.spacing_mm[::-1], strict=True
            )
        )
        coarse = replace(grid, shape=(z, y, x), spacing_mm=(sz, sy, sx), origin_mm=(ox, oy, oz))
        still = Scene(Volume(np.rint(mean).astype(np.int16), coarse), scene.truth[:z, :y, :x])
        noisy = noise(sigma_hu)(still) if sigma_hu else still
        return on_grid_of(resample(noisy.volume, grid.spacing_mm), scene)

    return apply


def on_grid_of(volume: Volume, scene: Scene) -> Scene:
    """The volume with the truth of the scene at its voxels; lesions go along."""
    index = nearest_index(scene.volume.grid, volume.grid)
    at = np.ix_(*index)
    lesions = [np.ascontiguousarray(mask[at]) for mask in scene.lesions]
    truth = np.ascontiguousarray(scene.truth[at])
    return replace(scene, volume=volume, truth=truth, lesions=lesions)


def nearest_index(old: Grid, new: Grid) -> list[NDArray[np.intp]]:
    """Per array axis the voxel of the old grid that lies nearest to each of the new one."""
    index = []
    for axis in range(3):
        start = new.origin_mm[2 - axis] - old.origin_mm[2 - axis]
        at = (start + new.spacing_mm[axis] * np.arange(new.shape[axis])) / old.spacing_mm[axis]
        index.append(np.clip(np.rint(at), 0, old.shape[axis] - 1).astype(int))
    return index


def _with_hu(scene: Scene, hu: NDArray[np.float32]) -> Scene:
    """Round and clip; what was padding stays it."""
    stored = np.clip(np.rint(hu), HU_MIN, HU_MAX).astype(np.int16)
    if scene.volume.hu[:, 0, 0].max() <= HU_MIN:
        padded = scene.volume.hu.max(axis=0) <= HU_MIN
        stored[:, padded] = HU_MIN
    return replace(scene, volume=replace(scene.volume, hu=stored))
