"""Geometry of a stack of slices (PS3.3 C.7.6.2.1.1, Image Plane Module)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.volume import Grid, Matrix, Triple, triple

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stack:
    """Geometry of parallel, equidistant slices as they were acquired.

    Attributes
    ----------
    shape : tuple of int
        (slices, rows, columns).
    spacing_mm : tuple of float
        Distance between slices, rows and columns.
    origin_mm : tuple of float
        Centre of the first pixel of the first slice, (x, y, z).
    axes : ndarray of float64, shape (3, 3)
        Row k is the patient direction in which slices (k = 0), rows (1) or columns (2) follow.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    axes: Floats


def canonical_layout(stack: Stack) -> tuple[Grid, tuple[int, int, int], tuple[int, ...]]:
    """Permute and flip the axes of a stack so that they grow to the head, the back and the left.

    Oblique stacks keep their small rotation in ``direction``: no voxel is interpolated.

    Returns
    -------
    grid : Grid
        The canonical grid.
    axes : tuple of int
        Axis of the stack that becomes z, y and x.
    flips : tuple of int
        Canonical axes that run against their axis of the stack.
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
        origin = origin + stack.axes[a] * stack.spacing_mm[a] * (stack.shape[a] - 1)
    directions = (stack.axes[list(axes)] * signs[:, None])[::-1].T
    matrix: Matrix = (triple(directions[0]), triple(directions[1]), triple(directions[2]))
    shape = (stack.shape[axes[0]], stack.shape[axes[1]], stack.shape[axes[2]])
    spacing = (stack.spacing_mm[axes[0]], stack.spacing_mm[axes[1]], stack.spacing_mm[axes[2]])
    return Grid(shape, spacing, triple(origin), matrix), axes, flips
