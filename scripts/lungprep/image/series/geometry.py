"""Geometry of a stack of slices (PS3.3 C.7.6.2.1.1, Image Plane Module)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Grid, Matrix, Slicing, Triple, triple

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Geometry of parallel slices as they were acquired.

    Attributes
    ----------
    shape : tuple of int
        (slices, rows, columns).
    spacing_mm : tuple of float
        Distance between slices, rows and columns; the usual distance if slices are uneven.
    origin_mm : tuple of float
        Centre of the first pixel of the first slice, (x, y, z), without the shift of that slice.
    axes : ndarray of float64, shape (3, 3)
        Row k is the patient direction in which slices (k = 0), rows (1) or columns (2) follow.
    heights_mm : ndarray of float64, shape (slices,), optional
        Height of each slice above the first, if the distances differ.
    shifts_mm : ndarray of float64, shape (slices, 2), optional
        Shift of each slice along `axes` 1 and 2, if slices are shifted.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    axes: Floats
    heights_mm: Floats | None = None
    shifts_mm: Floats | None = None

    @property
    def even(self) -> bool:
        """Whether the slices fill a regular grid."""
        return self.heights_mm is None and self.shifts_mm is None

    @property
    def heights(self) -> Floats:
        """Height of each slice above the first, mm."""
        if self.heights_mm is not None:
            return self.heights_mm
        return np.arange(self.shape[0], dtype=np.float64) * self.spacing_mm[0]

    @property
    def length_mm(self) -> float:
        """Extent of the slices along their normal."""
        return float(self.heights[-1]) + self.spacing_mm[0]


@dataclass(frozen=True)
class Layout:
    """Mapping from a stack to a canonical array.

    Attributes
    ----------
    grid : Grid
        The canonical grid.
    axes : tuple of int
        Axis of the stack that becomes z, y and x.
    flips : tuple of int
        Canonical axes with the opposite direction of their axis in the stack.
    slicing : Slicing or None
        True positions of slices that don't fill the grid evenly.
    """

    grid: Grid
    axes: tuple[int, int, int]
    flips: tuple[int, ...]
    slicing: Slicing | None


def canonical_layout(stack: Stack) -> Layout:
    """Permute and flip the axes of a stack so that they point to the head, the back and the left.

    Oblique stacks keep their rotation in ``direction``; this step does not interpolate.
    """
    towards = np.abs(stack.axes)
    z = int(towards[:, 2].argmax())
    y = max((a for a in range(3) if a != z), key=lambda a: float(towards[a, 1]))
    axes = (z, y, 3 - z - y)
    signs = np.array([np.sign(stack.axes[a, 2 - k]) or 1.0 for k, a in enumerate(axes)])
    flips = tuple(int(k) for k in np.flatnonzero(signs < 0))
    origin = np.array(stack.origin_mm)
    for k in flips:
        a = axes[k]
        extent = stack.heights[-1] if a == 0 else stack.spacing_mm[a] * (stack.shape[a] - 1)
        origin = origin + stack.axes[a] * extent
    directions = (stack.axes[list(axes)] * signs[:, None])[::-1].T
    matrix: Matrix = (triple(directions[0]), triple(directions[1]), triple(directions[2]))
    shape = (stack.shape[axes[0]], stack.shape[axes[1]], stack.shape[axes[2]])
    spacing = (stack.spacing_mm[axes[0]], stack.spacing_mm[axes[1]], stack.spacing_mm[axes[2]])
    grid = Grid(shape, spacing, triple(np.round(origin, 6)), matrix)
    return Layout(grid, axes, flips, None if stack.even else _slicing(stack, axes, signs))


def _slicing(stack: Stack, axes: tuple[int, int, int], signs: Floats) -> Slicing:
    """Return the positions of the slices in canonical order."""
    axis = axes.index(0)
    shifts = np.zeros((stack.shape[0], 2)) if stack.shifts_mm is None else stack.shifts_mm
    others = [k for k in range(3) if k != axis]
    shifts = np.stack([shifts[:, axes[k] - 1] * signs[k] for k in others], axis=1)
    heights = stack.heights
    if signs[axis] < 0:
        heights, shifts = heights[-1] - heights[::-1], shifts[::-1]
    return Slicing(
        axis,
        tuple(float(h) for h in np.round(heights, 6)),
        tuple((float(a), float(b)) for a, b in np.round(shifts, 6)),
    )
