"""What lungs can have: nodules, tumours, fluid, gas, holes. Parts and solids to add to a thorax."""

from collections.abc import Iterator
from math import cos, sin

import numpy as np

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import Part
from lungprep_demo.phantom.shapes import Ellipsoid, Solid
from lungs.anatomy import CAGE, Region
from lungs.solids import Half, Outside, Stack, both
from lungs.thorax import Thorax

CENTRE = {Region.RIGHT: (-80.0, 10.0, 0.0), Region.LEFT: (82.0, 16.0, 0.0)}


def ball(centre: Triple, radius: float) -> Ellipsoid:
    """Sphere."""
    return Ellipsoid(centre, (radius, radius, radius))


def surface(thorax: Thorax, side: int, start: Triple, direction: Triple) -> Triple:
    """Where a ray from within a lung leaves it."""
    t = np.arange(0.0, 250.0, 0.25)
    x, y, z = (s + d * t for s, d in zip(start, direction, strict=True))
    _, labels = thorax.phantom().at(x, y, z)
    stop = int((labels != side).argmax())
    return float(x[stop]), float(y[stop]), float(z[stop])


def directions(side: int, kind: str, first: int = 0) -> Iterator[tuple[Triple, Triple]]:
    """Endless rays, start and direction, towards one part of a lung's surface."""
    sign = -1.0 if side == Region.RIGHT else 1.0
    x, y, _ = CENTRE[Region(side)]
    for i in range(first, 10_000):
        angle, z = i * 2.399, -70.0 + (i * 43.7) % 150.0
        if kind == "costal":
            a = (angle % 2.6) - 1.3
            yield (x, y, z), (sign * cos(a), sin(a), 0.15 * sin(angle))
        elif kind == "mediastinal":
            a = (angle % 1.6) - 0.8
            yield (x, y, z), (-sign * cos(a), sin(a), 0.15 * sin(angle))
        else:
            start = (x + 26 * cos(angle), y - 10 + 34 * sin(angle), -30.0)
            yield start, (0.0, 0.0, -1.0)


def on_surface(
    thorax: Thorax, kind: str, diameters: tuple[float, ...], depth: float = 0.0, first: int = 0
) -> tuple[Solid, ...]:
    """Balls on the surface of both lungs by turns; `depth` radii inside, 1 touches from within."""
    rays = {side: directions(side, kind, first) for side in CENTRE}
    placed: list[Ellipsoid] = []
    for i, diameter in enumerate(diameters):
        side = Region.RIGHT if i % 2 else Region.LEFT
        for start, direction in rays[side]:
            point = surface(thorax, side, start, direction)
            length = float(np.linalg.norm(direction))
            inward = [depth * diameter / 2 * d / length for d in direction]
            x, y, z = (p - d for p, d in zip(point, inward, strict=True))
            if all(_apart((x, y, z), diameter / 2, other) for other in placed):
                placed.append(ball((x, y, z), diameter / 2))
                break
    return tuple(placed)


def _apart(centre: Triple, radius: float, other: Ellipsoid) -> bool:
    distance = float(np.linalg.norm(np.subtract(centre, other.centre)))
    return distance > radius + other.radii[0] + 6


def crescent(side: int, thick_mm: float) -> Part:
    """Free fluid behind a lung that floats forward."""
    floating = CAGE.moved(dy=-thick_mm)
    return Part(both(_cavity(side), Outside(floating)), 12.0, Region.FLUID)


def basal_fluid(side: int, level_mm: float) -> Part:
    """Fluid on the diaphragm up to a height."""
    return Part(both(_cavity(side), Half((0.0, 0.25, 1.0), level_mm)), 12.0, Region.FLUID)


def pneumothorax(side: int, rim_mm: float) -> tuple[Part, ...]:
    """Gas in front of a lung that has sunk back, with the pleura as a line between."""
    gas = Part(both(_cavity(side), Outside(CAGE.moved(dy=rim_mm))), -1000.0, Region.PNEUMOTHORAX)
    pleura = both(_cavity(side), CAGE.moved(dy=rim_mm), Outside(_within(CAGE.moved(dy=rim_mm))))
    return gas, Part(pleura, -200.0, None)


def collapse(side: int) -> tuple[Part, ...]:
    """A whole cavity of gas, the lung a fist at the hilum."""
    x, y, _ = CENTRE[Region(side)]
    fist = Ellipsoid((0.72 * x, y + 12, -8.0), (34.0, 42.0, 70.0))
    return (
        Part(both(_cavity(side), Outside(fist)), -1000.0, Region.PNEUMOTHORAX),
        Part(fist, -500.0, None),
    )


def lower_lobe(side: int, hu: float) -> Part:
    """All behind and below the oblique fissure, filled."""
    return Part(both(_cavity(side), Half((0.0, -0.64, 0.77), -14.0)), hu, None)


def holes(side: int, count: int, radii: tuple[float, float], hu: float) -> list[Part]:
    """Emphysema or bullae at random places of the upper lung."""
    random = np.random.default_rng([side, count])
    cavity, parts = _cavity(side), []
    while len(parts) < count:
        x, y, z = random.uniform((-130, -90, -60), (130, 90, 135))
        if cavity.contains(np.array(x), np.array(y), np.array(z)):
            parts.append(Part(ball((x, y, z), float(random.uniform(*radii))), hu, None))
    return parts


def _cavity(side: int) -> Solid:
    return Thorax().side(side)


def _within(stack: Stack) -> Stack:
    return stack.grown(-1.0)
