"""Disks that roll along a mask in each plane apart, and straight lines that stay outside of it.

A closing by a disk is a dilation and an erosion. Eight planes share the bits of a byte, so that a
shift of the disk's rows costs an eighth of a byte for each voxel. Large radii work on coarser
blocks.
"""

from functools import lru_cache
from itertools import product
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.morphology import Mask, Spacing

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
    radius = radius_mm / step_mm
    frame = int(radius) + 2
    groups = -(-len(planes) // 8)
    image = np.zeros((len(rows) + 2 * frame, groups, len(columns) + 2 * frame), np.uint8)
    inner = np.s_[frame:-frame, :, frame:-frame]
    image[inner] = _packed(planes)[rows][:, :, columns]
    flat, row = image.reshape(-1), image.shape[1] * image.shape[2]
    widths = half_widths(radius)
    grown = _swept(flat, widths, row, np.bitwise_or)
    closed = _swept(grown, widths, row, np.bitwise_and).reshape(image.shape)[inner]
    back = (
        np.minimum(((np.arange(n) + 0.5) * k).astype(int), len(found) - 1)
        for n, k, found in zip(planes.shape[1:], stretched, (rows, columns), strict=True)
    )
    rows, columns = back
    return _unpacked(closed[rows][:, :, columns], len(planes))


def _packed(planes: Mask) -> NDArray[np.uint8]:
    """Planes (n, rows, columns), eight in one (rows, groups, columns).

    Bit k of group g is plane ``k * groups + g``.
    """
    groups = -(-len(planes) // 8)
    packed = np.zeros((planes.shape[1], groups, planes.shape[2]), np.uint8)
    for k in range(8):
        some = planes[k * groups : (k + 1) * groups]
        packed[:, : len(some)] |= some.view(np.uint8).swapaxes(0, 1) << np.uint8(k)
    return packed


def _unpacked(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Undo `_packed`: 0 and 1, (count, rows, columns)."""
    planes = [(packed >> np.uint8(k)) & np.uint8(1) for k in range(8)]
    return np.concatenate(planes, axis=1)[:, :count].swapaxes(0, 1)


def _swept(
    image: NDArray[np.uint8], widths: tuple[int, ...], row: int, join: np.ufunc
) -> NDArray[np.uint8]:
    """Join each pixel with all others below a disk.

    Parameters
    ----------
    image : ndarray of uint8, one-dimensional
        Rows one after the other, framed so widely that what runs over is not used.
    widths : tuple of int
        From `half_widths`.
    row : int
        Pixels from one row to the next.
    join : ufunc
        Bitwise or: dilation; and: erosion.
    """
    swept, run, wide = image.copy(), image.copy(), 0
    for away in range(len(widths) - 1, -1, -1):
        while wide < widths[away]:
            wide += 1
            join(run[wide:], image[:-wide], out=run[wide:])
            join(run[:-wide], image[wide:], out=run[:-wide])
        shift = away * row
        join(swept[shift:], run[: len(run) - shift], out=swept[shift:])
        join(swept[: len(run) - shift], run[shift:], out=swept[: len(run) - shift])
    return swept


@lru_cache
def half_widths(radius: float) -> tuple[int, ...]:
    """Half the length of a disk's rows, by their distance from its middle, in pixels.

    The disk is the one of OpenCV's chamfer distance (Borgefors, CVGIP 34, 1986, 344-371).
    """
    reach = int(radius) + 1
    dot = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    dot[reach, reach] = 0
    distance = cv2.distanceTransform(dot, cv2.DIST_L2, cv2.DIST_MASK_5)
    lengths = np.count_nonzero(distance <= radius, axis=1)
    return tuple(int(n) // 2 for n in lengths[reach:] if n)


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
