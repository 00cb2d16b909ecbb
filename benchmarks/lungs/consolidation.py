"""Dense lung whose border is the lung's own: at the base, and scars at the apex.

Nothing parts it from diaphragm, mediastinum and chest wall but their shape. Its border with the
aerated lung is ragged, and bronchi full of air run through it.
"""

import numpy as np

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import Part
from lungprep_demo.phantom.shapes import Capsule
from lungs.anatomy import CAGE, LEFT_HILUM, RIGHT_HILUM, Region
from lungs.disease import ball
from lungs.solids import Half, both
from lungs.thorax import Thorax

_HILUM = {Region.RIGHT: RIGHT_HILUM, Region.LEFT: LEFT_HILUM}
_GROUND_GLASS_HU = -550.0


def base(side: int, level_mm: float, tilt: float = 0.35, hu: float = 45.0) -> list[Part]:
    """Fill a lung below a plane that rises by `tilt` to the back.

    Parameters
    ----------
    side : int
        Right or left.
    level_mm : float
        z of the plane in the middle of the chest. The domes reach up to -86 and -96.
    tilt : float
        Rise per mm towards the back.
    hu : float
        Of the dense lung.
    """
    random = np.random.default_rng([int(side), 5])
    cavity = Thorax().side(side)
    below = Half((0.0, -tilt, 1.0), level_mm)
    haze = Half((0.0, -tilt, 1.0), level_mm + 9.0)
    parts = [Part(both(cavity, haze), _GROUND_GLASS_HU, None), Part(both(cavity, below), hu, None)]
    sign = -1.0 if side == Region.RIGHT else 1.0
    for _ in range(28):
        x, y = sign * random.uniform(25, 120), random.uniform(-70, 85)
        z = level_mm + tilt * y + random.uniform(-6, 8)
        parts.append(Part(both(cavity, ball((x, y, z), random.uniform(6, 15))), hu, None))
    return [*parts, *_air_bronchograms(side, level_mm, random)]


def _air_bronchograms(side: int, level_mm: float, random: np.random.Generator) -> list[Part]:
    start = _HILUM[Region(side)]
    sign = -1.0 if side == Region.RIGHT else 1.0
    parts = []
    for _ in range(5):
        stop = (sign * random.uniform(60, 105), random.uniform(20, 70), level_mm - 16.0)
        tube = Capsule(start, stop, random.uniform(1.2, 2.2))
        parts.append(Part(both(Thorax().side(side), tube), -930.0, None))
    return parts


def apical_scars(side: int, from_mm: float = 129.0, hu: float = 30.0) -> list[Part]:
    """A cap over the apex, and bands and knots that hang from it.

    Parameters
    ----------
    side : int
        Right or left.
    from_mm : float
        z above which the lung is a scar; the apex is at 144.
    hu : float
        Of the scars.
    """
    random = np.random.default_rng([int(side), 6])
    cavity = Thorax().side(side)
    sign = -1.0 if side == Region.RIGHT else 1.0
    parts = [Part(both(cavity, Half((0.0, 0.1, -1.0), -from_mm)), hu, None)]
    for _ in range(5):
        top: Triple = (sign * random.uniform(26, 58), random.uniform(2, 40), from_mm + 4.0)
        low = (top[0] + random.uniform(-8, 12) * sign, top[1] + random.uniform(-12, 12))
        band = Capsule(top, (*low, from_mm - random.uniform(12, 34)), random.uniform(1.2, 3.0))
        parts.append(Part(both(cavity, band), hu, None))
        knot = ball((low[0], low[1], from_mm - random.uniform(4, 16)), random.uniform(3, 7))
        parts.append(Part(both(cavity, CAGE, knot), hu, None))
    return parts
