"""What can happen to a scan without the lungs changing; the truth goes along."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling import resample
from lungprep.image.volume import Grid, Triple, Volume
from lungs.anatomy import Region
from lungs.effects import circle, nearest_index
from lungs.rendering import Effect, Scene

_SWAPPED = np.arange(256, dtype=np.uint8)
_SWAPPED[[Region.RIGHT, Region.LEFT]] = Region.LEFT, Region.RIGHT
Y, X = 1, 2


def flip(*axes: int) -> Effect:
    """Mirror array axes. Along x a right lung becomes a left one."""

    def apply(scene: Scene) -> Scene:
        truth = np.flip(scene.truth, axes)
        hu = np.ascontiguousarray(np.flip(scene.volume.hu, axes))
        truth = _SWAPPED[truth] if X in axes else np.ascontiguousarray(truth)
        return _on_shape(scene, hu, truth)

    return apply


def rotate(turns: int) -> Effect:
    """Quarter turns in the axial plane: the table at another side. Odd ones leave no sides."""

    def apply(scene: Scene) -> Scene:
        hu = np.ascontiguousarray(np.rot90(scene.volume.hu, turns, (Y, X)))
        truth = np.ascontiguousarray(np.rot90(scene.truth, turns, (Y, X)))
        if turns % 4 == 2:
            truth = _SWAPPED[truth]
        turned = _on_shape(scene, hu, truth)
        dz, dy, dx = scene.volume.grid.spacing_mm
        if turns % 2:
            grid = replace(turned.volume.grid, spacing_mm=(dz, dx, dy))
            turned = replace(turned, volume=Volume(hu, grid), sided=False)
        return turned

    return apply


def resampled(spacing_mm: Triple) -> Effect:
    """Another voxel size."""

    def apply(scene: Scene) -> Scene:
        volume = resample(scene.volume, spacing_mm)
        return replace(scene, volume=volume, truth=nearest(scene, volume.grid))

    return apply


def crop(part: tuple[slice, ...]) -> Effect:
    """Keep a part of the array; the slices are in hundredths of each axis."""

    def apply(scene: Scene) -> Scene:
        kept = tuple(
            slice((s.start or 0) * n // 100, (100 if s.stop is None else s.stop) * n // 100)
            for s, n in zip(part, scene.truth.shape, strict=True)
        )
        start = tuple(s.start for s in kept)
        stop = tuple(s.stop for s in kept)
        grid = scene.volume.grid.window(start, stop)  # type: ignore[arg-type]
        hu = np.ascontiguousarray(scene.volume.hu[kept])
        return replace(
            scene, volume=Volume(hu, grid), truth=np.ascontiguousarray(scene.truth[kept])
        )

    return apply


def central_circle(share: float) -> Effect:
    """A circular field of `share` of the lungs' width, around their middle."""

    def apply(scene: Scene) -> Scene:
        grid = scene.volume.grid
        columns = ((scene.truth == Region.RIGHT) | (scene.truth == Region.LEFT)).any(axis=0)
        rows, cols = (np.flatnonzero(columns.any(axis=a)) for a in (1, 0))
        x, y, _ = grid.position_mm((0, (rows[0] + rows[-1]) / 2, (cols[0] + cols[-1]) / 2))
        width = (cols[-1] - cols[0]) * grid.spacing_mm[X]
        return circle(share * width / 2, (x, y))(scene)

    return apply


def nearest(scene: Scene, grid: Grid) -> NDArray[np.uint8]:
    """The truth at the voxel centres of another grid with the same axes."""
    return np.ascontiguousarray(scene.truth[np.ix_(*nearest_index(scene.volume.grid, grid))])


def _on_shape(scene: Scene, hu: NDArray[np.int16], truth: NDArray[np.uint8]) -> Scene:
    z, y, x = hu.shape
    grid = replace(scene.volume.grid, shape=(z, y, x))
    return replace(scene, volume=Volume(hu, grid), truth=truth)
