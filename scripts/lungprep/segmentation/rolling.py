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
# Planes with unequal steps are stretched, to this fraction of a step, to measure distances.
_SQUARE_STEPS = 4


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
        planes = np.moveaxis(coarse, axis, 0)
        used = planes.any(axis=(1, 2))
        if not used.any():
            continue
        np.moveaxis(votes, axis, 0)[used] += _closed(planes[used], radius_mm, rows, columns)
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
    count = np.zeros([n // k for n, k in zip(padded.shape, size, strict=True)], np.uint16)
    for corner in product(*(range(k) for k in size)):
        count += padded[tuple(slice(c, None, k) for c, k in zip(corner, size, strict=True))]
    return np.asarray(2 * count >= np.prod(size))


def _enlarged(coarse: NDArray[_Value], size: list[int], shape: tuple[int, ...]) -> NDArray[_Value]:
    """Undo `_majority`: each voxel has the value of its box."""
    for axis, factor in enumerate(size):
        coarse = coarse.repeat(factor, axis)
    return coarse[tuple(slice(n) for n in shape)]


def _closed(planes: Mask, radius_mm: float, rows_mm: float, columns_mm: float) -> NDArray[np.uint8]:
    """Closing of each plane (n, rows, columns) by a disk."""
    step_mm = min(rows_mm, columns_mm)
    stretched = [round(k / step_mm * _SQUARE_STEPS) / _SQUARE_STEPS for k in (rows_mm, columns_mm)]
    rows, columns = (
        np.minimum(((np.arange(int(n * k + 0.5)) + 0.5) / k).astype(int), n - 1)
        for n, k in zip(planes.shape[1:], stretched, strict=True)
    )
    # All planes in one image, further apart than twice the radius.
    radius = radius_mm / step_mm
    frame = int(radius) + 2
    image = np.ones((len(planes), len(rows) + 2 * frame, len(columns) + 2 * frame), np.uint8)
    inner = np.s_[:, frame:-frame, frame:-frame]
    image[inner] = ~planes[:, rows[:, np.newaxis], columns]
    grown = np.asarray(_distance(image) <= radius, np.uint8)
    closed = _distance(grown)[inner] > radius
    back = (
        np.minimum(((np.arange(n) + 0.5) * k).astype(int), len(found) - 1)
        for n, k, found in zip(planes.shape[1:], stretched, (rows, columns), strict=True)
    )
    return np.asarray(closed[np.ix_(np.arange(len(planes)), *back)], np.uint8)


def _distance(planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Distance of each pixel to the next 0, in pixels, of planes that do not touch each other."""
    image = planes.reshape(-1, planes.shape[2])
    distance = cv2.distanceTransform(image, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(distance, np.float32).reshape(planes.shape)


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
