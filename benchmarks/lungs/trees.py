"""Vessels and bronchi that branch from the hilum through a lung, the same ones every time."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import BLOOD, Part
from lungprep_demo.phantom.shapes import Capsule, Solid

_STEP_MM = 22.0


@lru_cache
def vessels(hilum: Triple, lung: Solid, count: int = 70) -> tuple[Part, ...]:
    """Tubes from the hilum to random places; their section grows with what they supply."""
    start, stop, supplied = _tree(np.array(hilum), _places(lung, count, seed=1))
    radii = np.clip(0.75 * supplied**0.42, 0.8, 5.2)
    return tuple(
        Part(Capsule(_point(a), _point(b), float(r)), BLOOD, None)
        for a, b, r in zip(start, stop, radii, strict=True)
    )


@lru_cache
def bronchi(hilum: Triple, lung: Solid, count: int = 9) -> tuple[Part, ...]:
    """Air-filled tubes with walls, beyond the main bronchus: they count as lung."""
    start, stop, supplied = _tree(np.array(hilum), _places(lung, count, seed=2))
    radii = np.clip(1.2 * supplied**0.45, 1.3, 3.8)
    return tuple(
        Part(Capsule(_point(a), _point(b), float(r + wall)), hu, None)
        for wall, hu in ((1.1, -60.0), (0.0, -990.0))
        for a, b, r in zip(start, stop, radii, strict=True)
    )


def _places(lung: Solid, count: int, seed: int) -> NDArray[np.float64]:
    """Random points in a lung."""
    random = np.random.default_rng(seed)
    centre, half = (np.array(v) for v in lung.box)
    found: list[NDArray[np.float64]] = []
    while len(found) < count:
        point = centre + half * random.uniform(-0.95, 0.95, 3)
        if lung.contains(*point):
            found.append(point)
    return np.array(found)


def _tree(
    root: NDArray[np.float64], places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Join each place to the nearest node so far; starts, stops, and how many each supplies."""
    nodes, parents = [root], [-1]
    for place in sorted(places, key=lambda p: float(np.linalg.norm(p - root))):
        distance = np.linalg.norm(np.array(nodes) - place, axis=1)
        parent = int(distance.argmin())
        origin = nodes[parent]
        pieces = max(1, round(distance[parent] / _STEP_MM))
        for i in range(1, pieces + 1):
            nodes.append(origin + (place - origin) * i / pieces)
            parents.append(parent)
            parent = len(nodes) - 1
    supplied = np.ones(len(nodes))
    for node in range(len(nodes) - 1, 0, -1):
        supplied[parents[node]] += supplied[node]
    points = np.array(nodes)
    return points[parents[1:]], points[1:], supplied[1:]


def _point(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(v) for v in values)
    return x, y, z
