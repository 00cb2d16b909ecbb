"""What scanners and protocols do to a scan: noise, kernels, fields of view, streaks."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Volume
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


def _with_hu(scene: Scene, hu: NDArray[np.float32]) -> Scene:
    """Round and clip; what was padding stays it."""
    stored = np.clip(np.rint(hu), HU_MIN, HU_MAX).astype(np.int16)
    if scene.volume.hu[:, 0, 0].max() <= HU_MIN:
        padded = scene.volume.hu.max(axis=0) <= HU_MIN
        stored[:, padded] = HU_MIN
    return replace(scene, volume=replace(scene.volume, hu=stored))
