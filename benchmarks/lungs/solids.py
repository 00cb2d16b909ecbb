"""Solids for anatomy: stacked ellipses, ribs, half-spaces, and combinations of solids.

All follow `lungprep_demo.phantom.shapes.Solid`: points (x, y, z) in millimetres, a box around.
"""

from dataclasses import dataclass, replace
from math import inf

import numpy as np

from lungprep.image.volume import Triple
from lungprep_demo.phantom.shapes import Array, Solid

Box = tuple[Triple, Triple]
EVERYWHERE: Box = ((0.0, 0.0, 0.0), (inf, inf, inf))


@dataclass(frozen=True)
class Stack:
    """Superellipses stacked along z, linear between knots; nothing beyond the first and last.

    Attributes
    ----------
    knots : tuple of tuple of float
        Per knot z, centre x, centre y, radius x, radius y; z increasing.
    power : float
        2 for ellipses, more for boxier outlines.
    """

    knots: tuple[tuple[float, float, float, float, float], ...]
    power: float = 2.0

    @property
    def box(self) -> Box:
        """See `Solid`."""
        z, x, y, rx, ry = np.array(self.knots).T
        low = (x - rx).min(), (y - ry).min(), z.min()
        high = (x + rx).max(), (y + ry).max(), z.max()
        return _box(low, high)

    def level(self, x: Array, y: Array, z: Array) -> Array:
        """Below 1 inside, 1 on the surface, growing outwards."""
        at, cx, cy, rx, ry = np.array(self.knots).T
        rx, ry = (np.interp(z, at, r, left=0, right=0) for r in (rx, ry))
        u = abs(x - np.interp(z, at, cx)) / np.maximum(rx, 1e-3)
        v = abs(y - np.interp(z, at, cy)) / np.maximum(ry, 1e-3)
        level: Array = u**self.power + v**self.power
        return level

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        inside: Array = self.level(x, y, z) < 1
        return inside

    def grown(self, mm: float) -> "Stack":
        """The same with radii larger by `mm`, at least 0."""
        return replace(
            self,
            knots=tuple(
                (z, x, y, max(rx + mm, 0), max(ry + mm, 0)) for z, x, y, rx, ry in self.knots
            ),
        )

    def moved(self, dx: float = 0.0, dy: float = 0.0, dz: float = 0.0) -> "Stack":
        """The same elsewhere."""
        return replace(
            self, knots=tuple((z + dz, x + dx, y + dy, rx, ry) for z, x, y, rx, ry in self.knots)
        )


@dataclass(frozen=True)
class RibCage:
    """Slanted rounded ribs on a stack; `depth` mm of each lie within the stack."""

    stack: Stack
    thick: float = 11.0
    high: float = 11.0
    pitch: float = 27.0
    slant: float = 0.55
    depth: float = 2.0

    @property
    def box(self) -> Box:
        """See `Solid`."""
        return self.stack.grown(self.thick).box

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        radius = 110.0
        out = (self.stack.level(x, y, z) ** (1 / self.stack.power) - 1) * radius
        along = (z + self.slant * y) % self.pitch - self.pitch / 2
        half = self.thick / 2
        inside: Array = ((out - half + self.depth) / half) ** 2 + (along / self.high * 2) ** 2 < 1
        return inside & (abs(x) > 14)


@dataclass(frozen=True)
class Half:
    """All points whose product with `normal` is below `limit`."""

    normal: Triple
    limit: float

    @property
    def box(self) -> Box:
        """See `Solid`."""
        low, high = [-inf] * 3, [inf] * 3
        (axis, *others) = (i for i, n in enumerate(self.normal) if n)
        if not others:
            bound = self.limit / self.normal[axis]
            (high if self.normal[axis] > 0 else low)[axis] = bound
        return _box(low, high)

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        a, b, c = self.normal
        inside: Array = a * x + b * y + c * z < self.limit
        return inside


@dataclass(frozen=True)
class Slab:
    """All points within `half` mm of a plane through `point`; `normal` has length 1."""

    point: Triple
    normal: Triple
    half: float

    @property
    def box(self) -> Box:
        """See `Solid`."""
        return EVERYWHERE

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        (a, b, c), (px, py, pz) = self.normal, self.point
        inside: Array = abs(a * (x - px) + b * (y - py) + c * (z - pz)) < self.half
        return inside


@dataclass(frozen=True)
class Both:
    """Intersection of solids."""

    solids: tuple[Solid, ...]

    @property
    def box(self) -> Box:
        """See `Solid`."""
        boxes = [(np.array(c), np.array(h)) for c, h in (solid.box for solid in self.solids)]
        low = np.max([c - h for c, h in boxes], axis=0)
        return _box(low, np.min([c + h for c, h in boxes], axis=0))

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        first, *others = (solid.contains(x, y, z) for solid in self.solids)
        for other in others:
            first = first & other
        return first


@dataclass(frozen=True)
class Outside:
    """What a solid leaves out."""

    solid: Solid

    @property
    def box(self) -> Box:
        """See `Solid`."""
        return EVERYWHERE

    def contains(self, x: Array, y: Array, z: Array) -> Array:
        """See `Solid`."""
        return ~self.solid.contains(x, y, z)


def both(*solids: Solid) -> Both:
    """Intersection of solids."""
    return Both(solids)


def _box(low: Array, high: Array) -> Box:
    """Centre and half edges; an axis open on either side is open on both."""
    centre, half = [], []
    for a, b in zip(low, high, strict=True):
        closed = np.isfinite(a) and np.isfinite(b)
        centre.append(float((a + b) / 2) if closed else 0.0)
        half.append(float((b - a) / 2) if closed else inf)
    return (centre[0], centre[1], centre[2]), (half[0], half[1], half[2])
