"""Lesions painted on the surface of given lungs, to see whether the mask takes them in."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Volume
from lungs.anatomy import Region
from lungs.rendering import HU_MAX, HU_MIN, Effect, Scene

_APART_MM = 6.0
_NOISE_HU = 20.0
# Around a place on the pleura about half is lung; in a notch beside a hilar vessel nearly all.
_AROUND_MM = 18.0
_MOST_LUNG = 0.75


def painted(
    seed: int, count: int = 20, diameters_mm: tuple[float, float] = (5.0, 30.0), hu: float = 40.0
) -> Effect:
    """Paint balls at random places of the lungs' surface.

    Parameters
    ----------
    seed : int
        Of places, sizes and noise.
    count : int
        How many; fewer where they would meet.
    diameters_mm : tuple of float
        Smallest and largest, evenly spread.
    hu : float
        Mean of the tissue.

    Returns
    -------
    callable
        From a scene to one with lesions: of each, the part within the true lungs. It is at least
        a third of the ball: centres lie on the surface or up to a radius inside. Notches of the
        hilum are no surface.
    """

    def apply(scene: Scene) -> Scene:
        random = np.random.default_rng([seed, count])
        lungs = (scene.truth == Region.RIGHT) | (scene.truth == Region.LEFT)
        hu_, lesions = scene.volume.hu.copy(), []
        for box, ball in _balls(lungs, scene, random, count, diameters_mm):
            part = hu_[box]
            tissue = hu + _NOISE_HU * random.standard_normal(part.shape)
            part[ball] = np.clip(np.rint(tissue[ball]), HU_MIN, HU_MAX)
            lesion = np.zeros(lungs.shape, np.bool_)
            lesion[box] = ball & lungs[box]
            lesions.append(lesion)
        return replace(scene, volume=Volume(hu_, scene.volume.grid), lesions=lesions)

    return apply


def _balls(
    lungs: NDArray[np.bool_],
    scene: Scene,
    random: np.random.Generator,
    count: int,
    diameters_mm: tuple[float, float],
) -> list[tuple[tuple[slice, ...], NDArray[np.bool_]]]:
    """Boxes and the balls in them."""
    spacing = np.array(scene.volume.grid.spacing_mm)
    places = surface(lungs)
    found: list[tuple[tuple[slice, ...], NDArray[np.bool_]]] = []
    taken: list[tuple[NDArray[np.float64], float]] = []
    sizes = list(np.linspace(*diameters_mm, count))
    for _ in range(60 * count):
        if not sizes:
            break
        radius = sizes[-1] / 2
        place = places[random.integers(len(places))] * spacing
        around, near = _ball(place, _AROUND_MM, spacing, lungs.shape)
        if np.count_nonzero(near & lungs[around]) > _MOST_LUNG * np.count_nonzero(near):
            continue
        centre = place + radius * random.uniform(0, 1) * _inwards(lungs, place, radius, spacing)
        far = all(np.linalg.norm(centre - c) > radius + r + _APART_MM for c, r in taken)
        box, ball = _ball(centre, radius, spacing, lungs.shape)
        if far and 3 * np.count_nonzero(ball & lungs[box]) >= np.count_nonzero(ball):
            found.append((box, ball))
            taken.append((centre, radius))
            sizes.pop()
    return found


def surface(lungs: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Index (z, y, x) of the lungs' outermost voxels, those on the array's border aside."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = np.array([cv2.erode(slice_.view(np.uint8), cross) for slice_ in lungs]) > 0
    inner[1:-1] &= lungs[:-2] & lungs[2:]
    rim = lungs & ~inner
    for axis in range(3):
        np.moveaxis(rim, axis, 0)[[0, 1, -2, -1]] = False
    return np.argwhere(rim)


def _inwards(
    lungs: NDArray[np.bool_],
    place: NDArray[np.float64],
    radius: float,
    spacing: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Unit vector from a place on the surface to where the lung around it lies."""
    box, ball = _ball(place, max(radius, 5.0), spacing, lungs.shape)
    near = np.argwhere(ball & lungs[box]) + [s.start for s in box]
    vector: NDArray[np.float64] = (near * spacing).mean(axis=0) - place
    return vector / max(float(np.linalg.norm(vector)), 1e-6)


def _ball(
    centre: NDArray[np.float64],
    radius: float,
    spacing: NDArray[np.float64],
    shape: tuple[int, ...],
) -> tuple[tuple[slice, ...], NDArray[np.bool_]]:
    low = np.maximum(np.floor((centre - radius) / spacing), 0).astype(int)
    high = np.minimum(np.ceil((centre + radius) / spacing) + 1, shape).astype(int)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    axes = (np.arange(s.start, s.stop) * step for s, step in zip(box, spacing, strict=True))
    z, y, x = np.ix_(*((a - c) ** 2 for a, c in zip(axes, centre, strict=True)))
    return box, z + y + x <= radius**2
