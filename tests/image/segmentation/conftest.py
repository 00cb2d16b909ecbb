"""A chest of ellipsoids with exact truth, on any grid."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from lungprep.image.volume import Grid, Volume

SIZE_MM = (280.0, 260.0, 320.0)
# The table is lighter than bone, or it would be the nearest rib of a chest that has none.
AIR, LUNG, TISSUE, TABLE, FOAM, PADDING = -1000, -860, 40, 60, -900, -1024


@dataclass
class Chest:
    """HU and truth on one grid; every part is painted in millimetres (z, y, x) from the corner."""

    spacing: tuple[float, float, float]
    hu: np.ndarray = field(init=False)
    truth: np.ndarray = field(init=False)

    def __post_init__(self):
        shape = [round(size / step) for size, step in zip(SIZE_MM, self.spacing, strict=True)]
        self.mm = np.meshgrid(
            *[
                (np.arange(n, dtype=np.float32) + 0.5) * s
                for n, s in zip(shape, self.spacing, strict=True)
            ],
            indexing="ij",
            sparse=True,
        )
        self.hu = np.full(shape, AIR, np.int16)
        self.truth = np.zeros(shape, np.uint8)
        self.hu[self.ellipse((130, 160), (100, 145))] = TISSUE

    def ellipse(self, centre, radii):
        _, y, x = self.mm
        inside = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 <= 1
        return np.broadcast_to(inside, self.hu.shape)

    def ellipsoid(self, centre, radii):
        parts = zip(self.mm, centre, radii, strict=True)
        return sum(((p - c) / r) ** 2 for p, c, r in parts) <= 1

    def box(self, start, stop):
        z, y, x = ((p >= a) & (p < b) for p, a, b in zip(self.mm, start, stop, strict=True))
        return z & y & x

    def tube(self, start, stop, radius):
        """Capsule between two points."""
        box = tuple(
            slice(max(int((min(a, b) - radius) / s - 1), 0), int((max(a, b) + radius) / s + 2))
            for a, b, s in zip(start, stop, self.spacing, strict=True)
        )
        z, y, x = self.mm
        mm = z[box[0]], y[:, box[1]], x[:, :, box[2]]
        along = [b - a for a, b in zip(start, stop, strict=True)]
        t = sum((p - a) * d for p, a, d in zip(mm, start, along, strict=True))
        t = np.clip(t / sum(d * d for d in along), 0, 1)
        off = [p - (a + t * d) for p, a, d in zip(mm, start, along, strict=True)]
        where = np.zeros(self.hu.shape, bool)
        where[box] = sum(o * o for o in off) <= radius**2
        return where

    def lungs(self, right=True, left=True, scale=1.0):
        if right:
            where = self.ellipsoid((140, 130, 95), (110 * scale, 70 * scale, 52 * scale))
            self.paint(where, LUNG, 1)
        if left:
            where = self.ellipsoid((140, 130, 228), (105 * scale, 66 * scale, 47 * scale))
            self.paint(where, LUNG, 2)
        return self

    def airways(self):
        """Trachea and main bronchi, whose walls of 2 mm hold against the lungs."""
        branches = [
            ((280, 120, 160), (175, 120, 160), 9),
            ((175, 120, 160), (145, 125, 118), 6.5),
            ((175, 120, 160), (140, 125, 208), 6.5),
        ]
        for start, stop, radius in branches:
            self.paint(self.tube(start, stop, radius + 2), TISSUE, 0)
        for start, stop, radius in branches:
            self.paint(self.tube(start, stop, radius), -990, 0)
        return self

    def lumen(self):
        return (self.hu == -990) & (self.truth == 0)

    def vessels(self):
        """Tubes of 3 and 5 mm inside the lungs, which count as lung."""
        for side, x, out in ((1, 100, 70), (2, 225, 250)):
            for z, radius in ((90, 2.5), (130, 1.5), (180, 2.5)):
                where = self.tube((z, 130, x), (z + 30, 150, out), radius)
                self.paint(where & (self.truth == side), TISSUE, side)
        return self

    def table(self):
        """A shell across the whole field with foam inside: the air below is cut off."""
        self.paint(self.box((0, 236, 0), (280, 239, 320)), TABLE, 0)
        self.paint(self.box((0, 239, 0), (280, 252, 320)), FOAM, 0)
        self.paint(self.box((0, 252, 0), (280, 255, 320)), TABLE, 0)
        return self

    def circle(self, radius):
        self.paint(~self.ellipse((130, 160), (radius, radius)), PADDING, 0)
        return self

    def junction(self, line_hu, line_mm=2.0):
        """Lungs that meet in front of the heart, with a blurred line between them."""
        middle = 163.0
        _, y, x = self.mm
        wedge = (y < 97 + 0.5 * abs(x - middle)) & self.box((110, 85, 130), (190, 120, 205))
        where = wedge & (self.truth == 0)
        self.paint(where & (x < middle), LUNG, 1)
        self.paint(where & (x >= middle), LUNG, 2)
        self.hu[where & (abs(x - middle) <= line_mm / 2)] = line_hu
        return self

    def noise(self, sigma):
        random = np.random.default_rng(7)
        noisy = self.hu + sigma * random.standard_normal(self.hu.shape, np.float32)
        self.hu = np.clip(noisy, -1024, 3071).astype(np.int16)
        return self

    def paint(self, where, hu, label):
        self.hu[where] = hu
        self.truth[where] = label
        return self

    def volume(self):
        z, y, x = self.hu.shape
        return Volume(self.hu, Grid((z, y, x), self.spacing, (0.0, 0.0, 0.0)))

    def dice(self, labels):
        """Agreement per lung, right and left."""
        both = [(self.truth == side, labels == side) for side in (1, 2)]
        return [2 * np.count_nonzero(a & b) / max(a.sum() + b.sum(), 1) for a, b in both]


@pytest.fixture
def chest() -> Callable[..., Chest]:
    """Make an empty chest: `chest(spacing)`."""
    return lambda spacing=(2.0, 2.0, 2.0): Chest(spacing)
