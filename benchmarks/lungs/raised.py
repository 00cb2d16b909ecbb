"""A left half of the diaphragm that stands high, with gas of stomach or colon below it.

Its dome reaches up to the middle of the heart, so that gas lies below the heart as well as below
the lung. Patients lie on their backs: gas gathers in front, fluid behind it.
"""

import numpy as np

from lungprep_demo.phantom.anatomy import AIR, BLOOD, Part
from lungprep_demo.phantom.shapes import Capsule, Ellipsoid, Solid
from lungs.anatomy import CAGE, RIGHT_DOME, Region
from lungs.solids import Half, Outside, both

_CENTRE, _RADII = (66.2, -8.1, -178.3), (90.2, 113.3, 146.4)
LEFT_DOME_RAISED = Ellipsoid(_CENTRE, _RADII)
DOMES = (RIGHT_DOME, LEFT_DOME_RAISED)
_FLUID_HU = 12.0


def stomach(wall_mm: float, fluid_from_mm: float = 6.0, gas_hu: float = AIR) -> tuple[Part, ...]:
    """A wide stomach behind `wall_mm` of diaphragm and wall; y of its air-fluid level.

    Scatter makes gas in the middle of a body heavier than that of the trachea, by up to 40 HU.
    """
    bag = both(_room(wall_mm), Ellipsoid((60.2, -30.3, -88.1), (64.0, 70.0, 58.0)))
    gas = both(bag, Half((0.0, 1.0, 0.0), fluid_from_mm))
    return Part(bag, _FLUID_HU, Region.ABDOMEN), Part(gas, gas_hu, Region.GAS)


def colon(wall_mm: float) -> tuple[Part, ...]:
    """A bend of the colon, with the folds of its wall."""
    tubes = (
        Capsule((30.2, -62.1, -86.3), (98.3, -44.2, -84.1), 29.0),
        Capsule((98.3, -44.2, -84.1), (96.1, -10.3, -150.2), 27.0),
    )
    room = _room(wall_mm)
    parts = [Part(both(room, tube), AIR, Region.GAS) for tube in tubes]
    for tube in tubes:
        start, stop = np.array(tube.start), np.array(tube.end)
        for share in (0.2, 0.5, 0.8):
            x, y, z = (float(v) for v in start + share * (stop - start) + (0, 16, -14))
            fold = both(room, tube, Ellipsoid((x, y, z), (2.5, 20.0, 20.0)))
            parts.append(Part(fold, 30.0, Region.ABDOMEN))
    return tuple(parts)


def wide_heart() -> Part:
    """A heart that covers the raised dome, so that little lung lies above the gas."""
    heart = Ellipsoid((52.3, -32.2, -26.4), (78.0, 62.0, 56.0))
    within = both(heart, CAGE.grown(-6.0), Outside(LEFT_DOME_RAISED))
    return Part(within, BLOOD, Region.HEART)


def _room(wall_mm: float) -> Solid:
    x, y, z = (radius - wall_mm for radius in _RADII)
    return both(Ellipsoid(_CENTRE, (x, y, z)), CAGE.grown(-wall_mm))
