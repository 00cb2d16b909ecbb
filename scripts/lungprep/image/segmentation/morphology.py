"""Binary morphology in millimetres on coarse (z, y, x) masks, without importing scipy.

Balls are made of unit steps: crosses (6 neighbours) and cubes (26 neighbours) in the proportion
that keeps the reach along axes and diagonals within 4 % of each other. A step is six shifted
ORs or ANDs over one byte per voxel, so it costs a few milliseconds at 2 mm.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
Box = tuple[slice, slice, slice]
# Whether a unit step is a cube (or else a cross), and the axes that it moves along.
Step = tuple[bool, tuple[int, ...]]

# Solves sqrt(3) * (cubes + crosses / 3) = cubes + crosses: equal reach on axis and space diagonal.
_CUBES_PER_STEP = 0.366


def dilate(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Grow a mask by a ball.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x).
    radius_mm : float
        Rounded per axis to whole voxels: an axis coarser than twice the radius stays as it is.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).

    Returns
    -------
    ndarray of bool
        A new array, also for radius 0.
    """
    return _sweep(mask, radius_mm, spacing_mm, np.bitwise_or)


def erode(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Shrink a mask by a ball; what lies beyond the array counts as mask. See `dilate`."""
    return _sweep(mask, radius_mm, spacing_mm, np.bitwise_and)


def close(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Fill what a ball rolling outside the mask can't reach (dilation, then erosion).

    What lies beyond the array counts as outside, so nothing grows towards its border.
    """
    box = bounding_box(mask, 0, spacing_mm)
    margin = [reach + 1 for reach in _reach(radius_mm, spacing_mm)]
    padded = np.pad(mask[box], [(m, m) for m in margin])
    rolled = erode(dilate(padded, radius_mm, spacing_mm), radius_mm, spacing_mm)
    closed = np.zeros_like(mask)
    closed[box] = rolled[tuple(slice(m, -m) for m in margin)]
    return closed


def spread(
    labels: NDArray[np.uint8], radius_mm: float, spacing_mm: Spacing, within: Mask | None = None
) -> NDArray[np.uint8]:
    """Grow the labels 1 and 2 into what is unlabelled, step by step, the nearer one first.

    Parameters
    ----------
    labels : ndarray of uint8
        Axes (z, y, x); where both arrive in one step, 1 wins.
    radius_mm : float
        How far, rounded as in `dilate`.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    within : ndarray of bool, optional
        Where they may grow.

    Returns
    -------
    ndarray of uint8
        A new array.
    """
    first, second = labels == 1, labels == 2
    for step in _steps(radius_mm, spacing_mm):
        first, second = (
            _step(first, step, np.bitwise_or) & ~second,
            _step(second, step, np.bitwise_or) & ~first,
        )
        second &= ~first
        if within is not None:
            first &= within
            second &= within
    return np.asarray(first + np.uint8(2) * second, np.uint8)


def bounding_box(mask: Mask, margin_mm: float, spacing_mm: Spacing) -> Box:
    """Slices (z, y, x) around the True voxels, widened by a margin within the array."""
    if not mask.any():
        empty = slice(0, 0)
        return empty, empty, empty
    found = []
    for axis, (size, step) in enumerate(zip(mask.shape, spacing_mm, strict=True)):
        others = tuple(a for a in range(3) if a != axis)
        inside = np.flatnonzero(mask.any(axis=others))
        margin = int(np.ceil(margin_mm / step))
        found.append(slice(max(inside[0] - margin, 0), min(inside[-1] + margin + 1, size)))
    return found[0], found[1], found[2]


def neighbours(spacing_mm: Spacing) -> Iterator[tuple[Box, Box, float]]:
    """All voxels that have a neighbour in a direction, for six directions.

    Yields
    ------
    here, beside : tuple of slice
        The voxels, and that neighbour of each.
    mm2 : float
        Area of the face between two of them.
    """
    volume = math.prod(spacing_mm)
    for axis, step in enumerate(spacing_mm):
        low, high = _shift(axis, slice(None, -1)), _shift(axis, slice(1, None))
        yield low, high, volume / step
        yield high, low, volume / step


def _sweep(mask: Mask, radius_mm: float, spacing_mm: Spacing, join: np.ufunc) -> Mask:
    swept = mask.copy()
    for step in _steps(radius_mm, spacing_mm):
        swept = _step(swept, step, join)
    return swept


def _step(mask: Mask, step: Step, join: np.ufunc) -> Mask:
    cube, axes = step
    swept = mask.copy()
    source = mask
    for axis in axes:
        ahead, behind = _shift(axis, slice(1, None)), _shift(axis, slice(None, -1))
        join(swept[ahead], source[behind], out=swept[ahead])
        join(swept[behind], source[ahead], out=swept[behind])
        if cube and axis != axes[-1]:
            source = swept.copy()
    return swept


def _reach(radius_mm: float, spacing_mm: Spacing) -> list[int]:
    return [math.ceil(radius_mm / step - 0.5) for step in spacing_mm]


def _steps(radius_mm: float, spacing_mm: Spacing) -> Iterator[Step]:
    reach = _reach(radius_mm, spacing_mm)
    total = max(reach)
    for i in range(total):
        cube = int((i + 1) * _CUBES_PER_STEP + 0.5) > int(i * _CUBES_PER_STEP + 0.5)
        axes = tuple(a for a in range(3) if (i + 1) * reach[a] // total > i * reach[a] // total)
        yield cube, axes


def _shift(axis: int, part: slice) -> Box:
    z, y, x = (part if a == axis else slice(None) for a in range(3))
    return z, y, x
