"""Solids that know which points lie inside them.

Coordinates are (x, y, z) in millimetres. A solid's ``contains`` takes three arrays that broadcast
against each other, so an axis-aligned plane costs one full-size addition, not three.
"""

from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Triple

Array = NDArray[Any]


class Solid(Protocol):
    """Region of space with a bounding box."""

    @property
    def box(self) -> tuple[Triple, Triple]:
        """Centre and half the edge lengths of a box that contains the solid."""

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """Whether each point lies inside, as a boolean array that broadcasts to the points."""


@dataclass(frozen=True)
class Ellipsoid:
    """All points within an axis-aligned ellipsoid; a radius may be inf."""

    centre: Triple
    radii: Triple

    @property
    def box(self) -> tuple[Triple, Triple]:
        """See `Solid`."""
        return self.centre, self.radii

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        (cx, cy, cz), (rx, ry, rz) = self.centre, self.radii
        inside: Array = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 + ((z - cz) / rz) ** 2 < 1
        return inside


@dataclass(frozen=True)
class Capsule:
    """All points within `radius` of the line segment from `start` to `end`."""

    start: Triple
    end: Triple
    radius: float

    @property
    def box(self) -> tuple[Triple, Triple]:
        """See `Solid`."""
        a, b = np.array(self.start), np.array(self.end)
        return _triple((a + b) / 2), _triple(abs(b - a) / 2 + self.radius)

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        a, b = np.array(self.start), np.array(self.end)
        u = b - a
        dx, dy, dz = x - a[0], y - a[1], z - a[2]
        t = np.clip((dx * u[0] + dy * u[1] + dz * u[2]) / (u @ u), 0, 1)
        squared = (dx - t * u[0]) ** 2 + (dy - t * u[1]) ** 2 + (dz - t * u[2]) ** 2
        inside: Array = squared < self.radius**2
        return inside


@dataclass(frozen=True)
class Plate:
    """All points between two y coordinates: a table top that fills the field of view."""

    y_start: float
    y_stop: float

    @property
    def box(self) -> tuple[Triple, Triple]:
        """See `Solid`."""
        middle, half = (self.y_start + self.y_stop) / 2, (self.y_stop - self.y_start) / 2
        return (0, middle, 0), (inf, half, inf)

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        inside: Array = (y > self.y_start) & (y < self.y_stop)
        return inside


@dataclass(frozen=True)
class Ribs:
    """Slanted rings between two elliptic cylinders, `pitch` apart along z and `height` high."""

    inner: tuple[float, float]
    outer: tuple[float, float]
    pitch: float
    height: float
    slant: float

    @property
    def box(self) -> tuple[Triple, Triple]:
        """See `Solid`."""
        return (0, 0, 0), (*self.outer, inf)

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        ring = (z + self.slant * y) % self.pitch < self.height
        outside = (x / self.inner[0]) ** 2 + (y / self.inner[1]) ** 2 > 1
        within = (x / self.outer[0]) ** 2 + (y / self.outer[1]) ** 2 < 1
        inside: Array = ring & outside & within
        return inside


def _triple(values: Array) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
