"""Beyond the chest: head with sinuses, abdomen with bowel gas and stool, legs."""

from functools import lru_cache
from itertools import pairwise

import numpy as np

from lungprep_demo.phantom.anatomy import AIR, BONE, FAT, MUSCLE, Part
from lungprep_demo.phantom.shapes import Capsule, Ellipsoid, Solid
from lungs import surroundings
from lungs.anatomy import BODY, Region
from lungs.solids import Half, both
from lungs.thorax import Thorax

_STOOL_HU = -350.0


def whole_body() -> Thorax:
    """Head to knees on a table."""
    around = (*_legs(), *_head_outside(), *surroundings.flat_table())
    return Thorax(before=around, after=(*_head_inside(), *_bowel()))


def abdomen(wide: float = 1.0) -> Thorax:
    """Much gas and stool, in a bowel `wide` times as wide as usual."""
    return Thorax(before=surroundings.flat_table(), after=_bowel(wide))


def head() -> Thorax:
    """Skull, brain, sinuses, airway open at the nose."""
    return Thorax(before=_head_outside(), after=_head_inside())


def _legs() -> tuple[Part, ...]:
    parts = []
    for x in (-86.0, 86.0):
        a, b = (x, 5.0, -430.0), (0.95 * x, 10.0, -1000.0)
        parts += [Part(Capsule(a, b, r), hu) for r, hu in ((80, FAT), (66, MUSCLE), (15, BONE))]
    return tuple(parts)


_SKULL = Ellipsoid((0.0, 5.0, 340.0), (76.0, 95.0, 78.0))


def _head_outside() -> tuple[Part, ...]:
    return (
        Part(_SKULL, MUSCLE),
        Part(Ellipsoid((0.0, -30.0, 275.0), (62.0, 62.0, 60.0)), MUSCLE),
        Part(Ellipsoid((0.0, 5.0, 340.0), (70.0, 89.0, 72.0)), BONE),
        Part(Ellipsoid((0.0, 5.0, 340.0), (64.0, 83.0, 66.0)), 35.0),
    )


def _head_inside() -> tuple[Part, ...]:
    gas = Region.AIRWAY
    sinuses = [((-30.0, -58.0, 285.0), (16, 15, 17)), ((30.0, -58.0, 285.0), (16, 15, 17))]
    sinuses += [((0.0, -74.0, 330.0), (22, 6, 13)), ((0.0, -34.0, 312.0), (14, 13, 11))]
    airway = [((0.3, 22.2, 229.0), (0.0, 0.0, 285.0), 8.0), ((0.0, 0.0, 285.0), (0, -105, 270), 6)]
    mastoids = [Part(Ellipsoid((x, 25.0, 290.0), (13, 15, 17)), -500.0) for x in (-58.0, 58.0)]
    return (
        *(Part(Ellipsoid(c, r), AIR, gas) for c, r in sinuses),
        *(Part(Capsule(a, b, r), AIR, gas) for a, b, r in airway),
        *mastoids,
    )


@lru_cache
def _bowel(wide: float = 1.0) -> tuple[Part, ...]:
    """Stomach, a colon of gas and stool around the abdomen, and small loops."""
    random = np.random.default_rng(11)
    frame = [(-105, 0, -420), (-112, -10, -300), (-100, -35, -215), (0, -75, -240)]
    frame += [(100, -20, -205), (114, 10, -300), (104, 15, -420), (10, 20, -470)]
    parts = []
    for i, (a, b) in enumerate(pairwise(frame)):
        start, stop = (float(v) for v in a), (float(v) for v in b)
        tube = Capsule(tuple(start), tuple(stop), 27.0 * wide)  # type: ignore[arg-type]
        content = (AIR, AIR, _STOOL_HU, AIR, AIR, _STOOL_HU, AIR)[i]
        parts += [Part(_inner(tube), 30.0, Region.ABDOMEN)]
        parts += [
            Part(_inner(Capsule(tube.start, tube.end, 27.0 * wide - 2.0)), content, Region.GAS)
        ]
        parts += _bubbles(tube, random) if content == _STOOL_HU else _folds(tube)
    stomach = both(
        Ellipsoid((70, -30, -215), (60, 50, 45)), Half((0, 1, 0), -35.0), BODY.grown(-24)
    )
    return (*parts, Part(stomach, AIR, Region.GAS), *_small_loops(random))


def _inner(solid: Solid) -> Solid:
    return both(solid, BODY.grown(-18.0))


def _bubbles(tube: Capsule, random: np.random.Generator) -> list[Part]:
    a, b = np.array(tube.start), np.array(tube.end)
    parts = []
    for _ in range(160):
        x, y, z = (float(v) for v in a + (b - a) * random.uniform() + random.normal(0, 9, 3))
        hu = float(random.choice([-950.0, -100.0, -650.0]))
        r = float(random.uniform(2, 5))
        parts.append(Part(Ellipsoid((x, y, z), (r, r, r)), hu, Region.GAS))
    return parts


def _folds(tube: Capsule) -> list[Part]:
    """Haustral folds: rings every 35 mm."""
    a, b = np.array(tube.start), np.array(tube.end)
    parts = []
    for t in np.arange(20.0, float(np.linalg.norm(b - a)), 35.0):
        x, y, z = (float(v) for v in a + (b - a) * t / np.linalg.norm(b - a) + [14, 8, 0])
        parts.append(Part(Ellipsoid((x, y, z), (14, 14, 2.5)), 30.0, Region.ABDOMEN))
    return parts


def _small_loops(random: np.random.Generator) -> list[Part]:
    parts = []
    for _ in range(14):
        x, y, z = (float(v) for v in random.uniform((-60, -60, -440), (60, 10, -270)))
        dx, dy = (float(v) for v in random.uniform(-35, 35, 2))
        loop = Capsule((x, y, z), (x + dx, y + dy, z + 10), float(random.uniform(7, 14)))
        parts.append(Part(loop, AIR, Region.GAS))
    return parts
