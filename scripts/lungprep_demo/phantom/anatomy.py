"""Tissues of the synthetic chest, in mm around its centre.

The coordinates have odd decimals, so that no voxel centre lies exactly on a surface: after
rounding, it could fall on either side.
"""

from dataclasses import dataclass
from math import inf

from lungprep_demo.phantom.shapes import Capsule, Ellipsoid, Plate, Ribs, Solid

RIGHT, LEFT = 1, 2
AIR, FOAM, LUNG, FAT, BLOOD, MUSCLE, MARROW, BONE = -1000, -890, -850, -100, 40, 50, 180, 500


@dataclass(frozen=True)
class Part:
    """One tissue; later parts paint over earlier ones.

    Attributes
    ----------
    solid : Solid
        Region, in phantom coordinates.
    hu : float
        Hounsfield units of the tissue.
    label : int or None
        Lung label to set (0 none, 1 right, 2 left). With None, the part paints only inside the
        lungs and keeps their label: a vessel or nodule, which counts as lung.
    """

    solid: Solid
    hu: float
    label: int | None = 0


def wall(ribs: bool) -> list[Part]:
    """Fat, muscle, spine and, on request, ribs."""
    parts = [
        Part(Ellipsoid((0.13, 0.21, 0), (172.37, 120.41, inf)), FAT),
        Part(Ellipsoid((0.13, 0.21, 0), (163.71, 111.83, inf)), MUSCLE),
    ]
    if ribs:
        parts.append(Part(Ribs((151.3, 102.7), (158.9, 108.3), 29.3, 11.1, 0.37), BONE))
    return [
        *parts,
        Part(Ellipsoid((0.17, 86.3, 0), (21.7, 19.3, inf)), BONE),
        Part(Ellipsoid((0.17, 86.3, 0), (17.9, 15.7, inf)), MARROW),
    ]


def lungs() -> list[Part]:
    """Both lungs, with the vessels that run into them from the hila."""
    return [
        Part(Ellipsoid((-78.3, 1.7, 1.3), (60.3, 84.7, 129.7)), LUNG, RIGHT),
        Part(Ellipsoid((77.1, 1.9, 2.1), (58.3, 82.9, 127.9)), LUNG, LEFT),
        *(Part(Capsule(a, b, radius), BLOOD, None) for a, b, radius in _VESSELS),
    ]


def organs() -> list[Part]:
    """Heart (which indents the left lung), both domes of the diaphragm, and the hila."""
    return [
        Part(Ellipsoid((31.7, -36.3, -52.9), (58.3, 47.1, 57.7)), BLOOD),
        Part(Ellipsoid((-78.3, 3.7, -151.3), (79.7, 97.3, 62.9)), MUSCLE),
        Part(Ellipsoid((77.1, 3.9, -156.7), (76.3, 95.9, 60.1)), MUSCLE),
        Part(Ellipsoid((-24.3, 13.7, 1.1), (21.9, 17.3, 27.7)), BLOOD),
        Part(Ellipsoid((26.9, 14.3, -3.7), (20.3, 16.7, 25.9)), BLOOD),
    ]


def airways() -> list[Part]:
    """Trachea and main bronchi with their walls; the bronchi end inside the hila."""
    return [
        Part(Capsule(a, b, radius + grown), hu)
        for grown, hu in ((2.1, MUSCLE), (0.0, AIR))
        for a, b, radius in _AIRWAYS
    ]


def table(side: str | None) -> list[Part]:
    """Two carbon plates with foam between them, wider than any field, beside the patient."""
    if side is None:
        return []
    sign = {"back": 1.0, "front": -1.0}[side]
    edges = [(sign * a, sign * b) for a, b in ((121.3, 146.9), (123.1, 145.1))]
    outer, inner = (Plate(min(pair), max(pair)) for pair in edges)
    return [Part(outer, FAT), Part(inner, FOAM)]


_CARINA = (0.9, 17.3, 37.1)
_AIRWAYS = (
    ((0.7, 21.7, 190.3), _CARINA, 8.3),
    (_CARINA, (-31.3, 14.9, 7.3), 6.3),
    (_CARINA, (33.7, 15.3, 2.9), 5.7),
)
_VESSELS = (
    ((-35.3, 13.7, 3.1), (-81.7, 8.3, 76.9), 4.1),
    ((-35.3, 13.7, 1.1), (-113.9, -41.3, 11.7), 3.3),
    ((-35.3, 13.7, -1.9), (-101.3, 47.9, -61.3), 4.3),
    ((-81.7, 8.3, 76.9), (-97.1, 31.7, 101.3), 2.3),
    ((-81.7, 8.3, 76.9), (-67.3, -29.9, 93.7), 2.1),
    ((-101.3, 47.9, -61.3), (-119.7, 27.1, -71.9), 2.1),
    ((38.7, 14.3, -1.7), (79.3, 11.3, 79.1), 3.9),
    ((38.7, 14.3, -3.7), (111.7, -33.1, 17.9), 3.1),
    ((38.7, 14.3, -7.7), (97.9, 49.3, -57.7), 4.1),
    ((79.3, 11.3, 79.1), (91.9, -17.3, 97.3), 2.1),
    ((97.9, 49.3, -57.7), (112.3, 21.1, -59.3), 2.3),
)
