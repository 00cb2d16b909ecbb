"""The organs of an adult chest in mm around its middle.

x grows to the patient's left, y to the back, z to the head. The lungs are what the mediastinum,
the ribs and the domes of the diaphragm leave of one cage, so that they run thin into the
costophrenic recesses and the gutters beside the spine, as real ones do.
"""

from enum import IntEnum

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import BLOOD, BONE, FAT, MARROW, MUSCLE, Part
from lungprep_demo.phantom.shapes import Capsule, Ellipsoid, Solid
from lungs.solids import RibCage, Stack, both


class Region(IntEnum):
    """What a truth label stands for; the lungs are 1 and 2 as everywhere."""

    OTHER = 0
    RIGHT = 1
    LEFT = 2
    WALL = 3
    MEDIASTINUM = 4
    HEART = 5
    AORTA = 6
    ABDOMEN = 7
    AIRWAY = 8
    FLUID = 9
    PNEUMOTHORAX = 10
    GAS = 11


BODY = Stack(
    (
        (-480.0, 0.0, 0.0, 165.0, 108.0),
        (-440.0, 0.0, 0.0, 178.0, 114.0),
        (-300.0, 0.0, 0.0, 158.0, 110.0),
        (-180.0, 0.0, 0.0, 162.0, 117.0),
        (-60.0, 0.0, 0.0, 166.0, 121.0),
        (50.0, 0.0, 1.0, 166.0, 117.0),
        (100.0, 0.0, 6.0, 180.0, 106.0),
        (140.0, 0.0, 14.0, 165.0, 86.0),
        (168.0, 0.0, 18.0, 100.0, 70.0),
        (188.0, 0.0, 18.0, 64.0, 62.0),
        (275.0, 0.0, 14.0, 58.0, 62.0),
    ),
    2.3,
)
CAGE = Stack(
    (
        (-172.0, 0.0, 2.0, 128.0, 92.0),
        (-140.0, 0.0, 3.0, 134.0, 95.0),
        (-100.0, 0.0, 3.0, 136.0, 96.0),
        (-40.0, 0.0, 1.0, 133.0, 93.0),
        (20.0, 0.0, 1.0, 126.0, 87.0),
        (70.0, 0.0, 5.0, 112.0, 76.0),
        (105.0, 0.0, 12.0, 91.0, 60.0),
        (125.0, 0.0, 17.0, 72.0, 46.0),
        (138.0, 0.0, 21.0, 50.0, 29.0),
        (144.0, 0.0, 22.0, 24.0, 8.0),
    ),
    2.2,
)
RIGHT_DOME = Ellipsoid((-66.3, -8.2, -170.4), (92.1, 111.7, 84.3))
LEFT_DOME = Ellipsoid((68.2, -6.1, -178.3), (88.2, 111.3, 82.4))
CARINA = (2.1, 28.2, 48.3)
RIGHT_HILUM, LEFT_HILUM = (-36.2, 17.3, 8.1), (42.4, 20.2, 4.3)
MEDIASTINUM = Stack(
    (
        (-140.0, 4.0, -4.0, 24.0, 50.0),
        (-60.0, 4.0, -6.0, 28.0, 50.0),
        (0.0, 2.0, -4.0, 34.0, 42.0),
        (60.0, 2.0, -2.0, 31.0, 44.0),
        (100.0, 0.0, 8.0, 33.0, 40.0),
        (145.0, 0.0, 18.0, 40.0, 40.0),
    )
)
AORTA = (
    ((-9.2, -21.3, 2.2), (-6.1, -16.3, 58.4), 15.2),
    ((-6.1, -16.3, 58.4), (12.3, 18.2, 78.1), 13.3),
    ((12.3, 18.2, 78.1), (27.2, 57.3, 66.4), 12.8),
    ((27.2, 57.3, 66.4), (25.3, 62.1, -60.2), 12.4),
    ((25.3, 62.1, -60.2), (10.2, 54.2, -200.1), 12.0),
)
VEINS = (
    ((4.1, 44.2, 150.3), (6.2, 44.3, -150.2), 8.1),
    ((-7.3, 60.4, 60.2), (-6.2, 61.1, -150.3), 4.8),
    ((-24.2, -10.3, 110.4), (-26.1, -12.3, -12.2), 10.2),
    ((-23.4, -4.2, -50.1), (-24.3, -2.1, -190.4), 11.3),
    ((24.2, 4.3, 128.4), (58.3, 0.2, 136.1), 5.2),
    ((58.3, 0.2, 136.1), (104.2, 6.1, 116.3), 5.2),
    ((-24.4, 4.2, 128.3), (-58.2, 0.3, 136.4), 5.2),
    ((-58.2, 0.3, 136.4), (-104.1, 6.3, 116.2), 5.2),
)


def wall() -> list[Part]:
    """Fat and muscle."""
    return [Part(BODY, FAT), Part(BODY.grown(-11.0), MUSCLE)]


def bones() -> list[Part]:
    """Ribs, spine and sternum."""
    spine = Stack(((-480.0, 0.0, 85.0, 23.0, 20.0), (200.0, 0.0, 78.0, 20.0, 17.0)))
    return [
        Part(RibCage(CAGE), BONE, Region.WALL),
        Part(spine, BONE, Region.WALL),
        Part(spine.grown(-3.0), MARROW, Region.WALL),
        Part(Ellipsoid((0.2, -93.3, 0.1), (17.0, 7.0, 75.0)), MARROW, Region.WALL),
    ]


def diaphragm(*domes: Solid) -> list[Part]:
    """Both domes; what lies below them is abdomen."""
    within = CAGE.grown(6.0)
    return [Part(both(within, dome), 60.0, Region.ABDOMEN) for dome in domes]


def airways(dx: float) -> list[Part]:
    """Trachea and main bronchi in their walls."""
    low = moved(CARINA, dx)
    tubes = [
        ((0.3, 22.2, 231.3), low, 8.7),
        (low, (-33.2 + dx, 21.3, 14.2), 6.8),
        (low, (42.3 + dx, 24.4, 8.1), 6.1),
    ]
    return [
        Part(Capsule(a, b, radius + grown), hu, Region.AIRWAY)
        for grown, hu in ((1.6, 30.0), (0.0, -1000.0))
        for a, b, radius in tubes
    ]


def moved(point: Triple, dx: float) -> Triple:
    """A point `dx` mm further to the patient's left."""
    return point[0] + dx, point[1], point[2]


def mediastinum(dx: float) -> list[Part]:
    """Heart, great vessels, oesophagus and hila, moved `dx` mm to the left."""
    parts = [Part(MEDIASTINUM.moved(dx), BLOOD - 20, Region.MEDIASTINUM)]
    for centre in (RIGHT_HILUM, LEFT_HILUM):
        hilum = Ellipsoid(moved(centre, dx), (14.2, 18.1, 23.3))
        parts.append(Part(hilum, BLOOD, Region.MEDIASTINUM))
    heart = [((20.4, -34.2, -62.3), (60.2, 46.1, 54.2)), ((50.3, -46.2, -88.1), (44, 37, 36))]
    parts += [
        Part(Ellipsoid(moved(centre, dx), radii), BLOOD, Region.HEART) for centre, radii in heart
    ]
    for region, tubes in ((Region.MEDIASTINUM, VEINS), (Region.AORTA, AORTA)):
        parts += [Part(Capsule(moved(a, dx), moved(b, dx), r), BLOOD, region) for a, b, r in tubes]
    return parts
