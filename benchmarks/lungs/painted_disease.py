"""Disease painted on scans of patients: dense bases, scars at the apex, gas below the diaphragm.

The mask of the scan as it is stays the truth, so that the border of a painted consolidation is the
lung's own, and what a mask cuts off there is missing.
"""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.morphology import dilate
from lungprep.image.volume import Volume
from lungs.anatomy import Region
from lungs.effects import blur
from lungs.rendering import HU_MAX, HU_MIN, Effect, Scene

Mask = NDArray[np.bool_]
_DENSE_HU, _NOISE_HU, _GAS_HU, _FLUID_HU = 38.0, 20.0, -1000.0, 12.0
_RAGGED_MM = 7.0
# What is half lung and half tissue around a mask is all tissue where the lung is.
_RIM_MM = 2.5
_RIM_HU = -150
_BONE_HU = 250


def dense_base(*sides: int, share: float = 0.25, tilt: float = 0.35, seed: int = 1) -> Effect:
    """Fill the bases of lungs.

    Parameters
    ----------
    sides : int
        Right, left or both.
    share : float
        Of each lung's volume, about.
    tilt : float
        How much higher it reaches at the back, per mm.
    seed : int
        Of its ragged border and of the noise.
    """

    def apply(scene: Scene) -> Scene:
        return _filled(scene, [_lowest(scene, side, share, tilt, seed) for side in sides], seed)

    return apply


def scars(*sides: int, deep_mm: float = 14.0, seed: int = 2) -> Effect:
    """Turn the apex of lungs into scars that reach `deep_mm` and, in bands, further down."""

    def apply(scene: Scene) -> Scene:
        parts = []
        for side in sides:
            lung = scene.truth == side
            top = int(np.flatnonzero(lung.any(axis=(1, 2)))[-1])
            dz = scene.volume.grid.spacing_mm[0]
            height = _heights(scene) - top * dz + deep_mm
            parts.append(lung & (height + 2 * _ragged(scene, seed + side) > 0))
        return _filled(scene, parts, seed)

    return apply


def gas(wall_mm: float = 4.0, raised_mm: float = 0.0, level: float = 0.6) -> Effect:
    """Put a stomach full of gas below the left half of the diaphragm.

    Parameters
    ----------
    wall_mm : float
        Of diaphragm and stomach, between gas and lung.
    raised_mm : float
        Rise of the dome above its place in the scan; lung that it displaces leaves the truth.
    level : float
        How much of the stomach, from the front, is gas; the rest is fluid.
    """

    def apply(scene: Scene) -> Scene:
        spacing = scene.volume.grid.spacing_mm
        lungs = (scene.truth == Region.RIGHT) | (scene.truth == Region.LEFT)
        centre, radii = _stomach(scene, raised_mm)
        dome = _ellipsoid(scene, centre, radii + wall_mm)
        truth = scene.truth.copy()
        if raised_mm:
            truth[dome & (truth == Region.LEFT)] = Region.ABDOMEN
            lungs &= truth != Region.ABDOMEN
        bag = _ellipsoid(scene, centre, radii) & _flesh(scene, truth)
        bag &= ~dilate(lungs, wall_mm, spacing)
        front = centre[1] + radii[1] * (2 * level - 1)
        is_gas = bag & (np.arange(bag.shape[1])[:, None] * spacing[1] < front)
        hu = scene.volume.hu.astype(np.float32)
        hu[truth == Region.ABDOMEN] = np.maximum(hu[truth == Region.ABDOMEN], 50.0)
        hu = _blended(scene, hu, bag, _FLUID_HU, seed=3)
        hu = _blended(scene, hu, is_gas, _GAS_HU, seed=4)
        truth[is_gas] = Region.GAS
        return replace(scene, volume=_volume(scene, hu), truth=truth)

    return apply


def _lowest(scene: Scene, side: int, share: float, tilt: float, seed: int) -> Mask:
    """The lowest part of a lung below a tilted, ragged plane."""
    lung = scene.truth == side
    dy = scene.volume.grid.spacing_mm[1]
    height = _heights(scene) - tilt * dy * np.arange(lung.shape[1])[:, None]
    height = height + _ragged(scene, seed + side)
    return lung & (height < np.quantile(height[lung], share))


def _heights(scene: Scene) -> NDArray[np.float32]:
    z = np.arange(scene.truth.shape[0], dtype=np.float32) * scene.volume.grid.spacing_mm[0]
    return z[:, None, None]


def _ragged(scene: Scene, seed: int) -> NDArray[np.float32]:
    """Smooth random heights, mm."""
    random = np.random.default_rng([seed, 9])
    coarse = random.standard_normal(tuple(-(-n // 8) for n in scene.truth.shape), np.float32)
    coarse = blur(coarse, 1.0, (1.0, 1.0, 1.0))
    z, y, x = scene.truth.shape
    planes = [cv2.resize(p, (x, y), interpolation=cv2.INTER_LINEAR) for p in coarse]
    whole = np.stack([planes[i // 8] for i in range(z)])
    whole = blur(whole, 4.0, (1.0, 1.0, 1.0))
    scaled: NDArray[np.float32] = whole * np.float32(_RAGGED_MM / whole.std())
    return scaled


def _filled(scene: Scene, parts: list[Mask], seed: int) -> Scene:
    """Make parts of the lungs dense, with the rim around the lungs that belongs to them."""
    part = np.any(parts, axis=0)
    spacing = scene.volume.grid.spacing_mm
    rim = dilate(part, _RIM_MM, spacing) & (scene.volume.hu < _RIM_HU)
    other = (scene.truth > 0) & (scene.truth != Region.WALL)
    hu = scene.volume.hu.astype(np.float32)
    return replace(
        scene,
        volume=_volume(scene, _blended(scene, hu, part | (rim & ~other), _DENSE_HU, seed)),
    )


def _blended(
    scene: Scene, hu: NDArray[np.float32], part: Mask, value: float, seed: int
) -> NDArray[np.float32]:
    """Paint a part with noise and a blurred surface."""
    random = np.random.default_rng([seed, 17])
    weight = blur(part.astype(np.float32), 0.7, scene.volume.grid.spacing_mm)
    noise = blur(random.standard_normal(part.shape, np.float32), 0.5, (1.0, 1.0, 1.0))
    noise *= np.float32(_NOISE_HU / noise.std())
    mixed: NDArray[np.float32] = hu + weight * (np.float32(value) + noise - hu)
    return mixed


def _stomach(scene: Scene, raised_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre and radii (z, y, x), mm: below the middle of the left lung's lower surface."""
    spacing = np.array(scene.volume.grid.spacing_mm)
    left = scene.truth == Region.LEFT
    columns = left.any(axis=0)
    low = np.where(columns, left.argmax(axis=0), 0)
    rows, cols = np.nonzero(columns)
    middle = np.array([np.quantile(rows, 0.4), np.quantile(cols, 0.4)])
    radii = np.array([46.0, 58.0, 48.0])
    near = columns & (
        ((np.arange(columns.shape[0])[:, None] - middle[0]) * spacing[1] / radii[1]) ** 2
        + ((np.arange(columns.shape[1]) - middle[1]) * spacing[2] / radii[2]) ** 2
        < 0.25
    )
    top = float(np.median(low[near])) * spacing[0] + raised_mm
    return np.array([top - radii[0], *(middle * spacing[1:])]), radii


def _ellipsoid(scene: Scene, centre: NDArray[np.float64], radii: NDArray[np.float64]) -> Mask:
    axes = (
        (np.arange(n) * step - c) / r
        for n, step, c, r in zip(
            scene.truth.shape, scene.volume.grid.spacing_mm, centre, radii, strict=True
        )
    )
    z, y, x = np.ix_(*axes)
    return np.asarray(z**2 + y**2 + x**2 <= 1)


def _flesh(scene: Scene, truth: NDArray[np.uint8]) -> Mask:
    """Within the rib cage, away from bone."""
    bone = dilate(scene.volume.hu > _BONE_HU, 2.0, scene.volume.grid.spacing_mm)
    return np.asarray((truth != Region.WALL) & ~bone)


def _volume(scene: Scene, hu: NDArray[np.float32]) -> Volume:
    stored = np.clip(np.rint(hu), HU_MIN, HU_MAX).astype(np.int16)
    return Volume(stored, scene.volume.grid)
