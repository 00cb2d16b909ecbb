"""Disks that roll along a mask in each plane apart, and straight lines that stay outside of it.

Disk closings come from two distance transforms per plane, so that their cost does not depend on
the radius. Large radii work on coarser blocks.
"""

from itertools import product
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation.morphology import Mask, Spacing

_Value = TypeVar("_Value", bound=np.generic)
_DIRECTIONS = [d for d in product((-1, 0, 1), repeat=3) if d > (0, 0, 0)]
# Planes whose two steps differ by more are stretched before distances are measured in them.
_SQUARE = 1.15


def unreached(
    mask: Mask, radius_mm: float, step_mm: float, spacing_mm: Spacing
) -> NDArray[np.uint8]:
    """Count the planes in which a disk that rolls outside the mask can't reach a voxel.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x); nothing lies beyond it.
    radius_mm : float
        Of the disk.
    step_mm : float
        Edge of the blocks on which it rolls.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).

    Returns
    -------
    ndarray of uint8
        0 to 3: axial, coronal and sagittal. 3 in the mask itself, up to rounding to blocks.
    """
    size = _blocks(step_mm, spacing_mm)
    coarse = _majority(mask, size)
    votes = np.zeros(coarse.shape, np.uint8)
    for axis in range(3):
        rows, columns = (spacing_mm[i] * size[i] for i in range(3) if i != axis)
        planes = zip(np.moveaxis(coarse, axis, 0), np.moveaxis(votes, axis, 0), strict=True)
        for plane, vote in planes:
            if plane.any():
                vote += _closed(np.asarray(plane, np.uint8), radius_mm, rows, columns)
    return _enlarged(votes, size, mask.shape)


def goes_on(mask: Mask, half_mm: float, step_mm: float, spacing_mm: Spacing) -> Mask:
    """Where a straight line of this half length, in one of 13 directions, stays outside the mask.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x); nothing lies beyond it.
    half_mm : float
        How far the line goes to both sides of a voxel.
    step_mm : float
        Edge of the blocks on which the lines are drawn.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).

    Returns
    -------
    ndarray of bool
    """
    size = _blocks(step_mm, spacing_mm)
    outside = ~_majority(mask, size)
    found = np.zeros(outside.shape, np.bool_)
    for direction in _DIRECTIONS:
        length_mm = float(np.linalg.norm(np.array(direction) * size * spacing_mm))
        found |= _line(outside, direction, int(half_mm / length_mm + 0.5))
    return _enlarged(found, size, mask.shape)


def _blocks(step_mm: float, spacing_mm: Spacing) -> list[int]:
    return [max(1, int(step_mm / step + 0.5)) for step in spacing_mm]


def _majority(mask: Mask, size: list[int]) -> Mask:
    """Coarser mask: where at least half of a box of `size` is set."""
    if size == [1, 1, 1]:
        return mask
    padded = np.pad(mask, [(0, -n % k) for n, k in zip(mask.shape, size, strict=True)])
    parts = [m for n, k in zip(padded.shape, size, strict=True) for m in (n // k, k)]
    return np.asarray(padded.reshape(parts).mean(axis=(1, 3, 5), dtype=np.float32) >= 0.5)


def _enlarged(coarse: NDArray[_Value], size: list[int], shape: tuple[int, ...]) -> NDArray[_Value]:
    """Undo `_majority`: each voxel has the value of its box."""
    for axis, factor in enumerate(size):
        coarse = coarse.repeat(factor, axis)
    return coarse[tuple(slice(n) for n in shape)]


def _closed(
    plane: NDArray[np.uint8], radius_mm: float, rows_mm: float, columns_mm: float
) -> NDArray[np.uint8]:
    """Closing of a plane of 0 and 1 by a disk."""
    shape = plane.shape
    step_mm = min(rows_mm, columns_mm)
    if max(rows_mm, columns_mm) > _SQUARE * step_mm:
        size = [
            max(1, round(n * s / step_mm))
            for n, s in zip(shape, (rows_mm, columns_mm), strict=True)
        ]
        plane = np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    radius = radius_mm / step_mm
    frame = int(radius) + 2
    framed = np.pad(1 - plane, frame, constant_values=1)
    grown = np.asarray(_distance(framed) <= radius, np.uint8)
    closed = np.asarray(_distance(grown) > radius, np.uint8)[frame:-frame, frame:-frame]
    if closed.shape != shape:
        closed = np.asarray(cv2.resize(closed, shape[::-1], interpolation=cv2.INTER_NEAREST))
    return closed


def _distance(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of each pixel to the next 0, in pixels."""
    return np.asarray(cv2.distanceTransform(plane, cv2.DIST_L2, cv2.DIST_MASK_5))


def _line(mask: Mask, direction: tuple[int, ...], reach: int) -> Mask:
    """Where all voxels up to `reach` steps to both sides are set, or beyond the array."""
    reach = min([reach, *(n - 1 for n, d in zip(mask.shape, direction, strict=True) if d)])
    ends = [mask.copy(), mask.copy()]
    done = 0
    while done < reach:
        step = min(done + 1, reach - done)
        for end, sign in zip(ends, (step, -step), strict=True):
            end[_shift(direction, -sign)] &= end[_shift(direction, sign)].copy()
        done += step
    return np.asarray(ends[0] & ends[1])


def _shift(direction: tuple[int, ...], steps: int) -> tuple[slice, ...]:
    """All voxels that have one so many steps further back."""
    return tuple(slice(max(steps * d, 0), min(steps * d, 0) or None) for d in direction)
