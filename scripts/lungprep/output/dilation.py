"""Exact dilation of a fine mask by a body given in millimetres, on any spacing.

The body is a bundle of rods along x, one for each offset in z and y. So the mask is widened along x
once for each length of rod, and the results are joined with shifts along z and y alone: on packed
bits, eight voxels a byte, which needs no shifting of bits.
"""

from collections import defaultdict

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.output.options import Shape

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
# Distances that are equal on paper may differ in the last bit.
_SLACK_MM = 1e-6


def dilate(mask: Mask, radius_mm: float, spacing_mm: Spacing, shape: Shape) -> Mask:
    """Widen a mask by all voxels whose centres lie within a body around its own.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x), C order.
    radius_mm : float
        Reach of the body along each axis.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    shape : {"ball", "diamond"}
        Which body: the Euclidean distance counts, or the sum of the distances along the axes. On a
        grid of 1 mm the diamond is what as many steps to the six neighbours reach.

    Returns
    -------
    ndarray of bool
        A new array.
    """
    planes, rows, columns = mask.shape
    lines = mask.view(np.uint8).reshape(-1, columns)
    joined = np.zeros((planes, rows, -(-columns // 8)), np.uint8)
    for half, offsets in _rods(radius_mm, spacing_mm, shape).items():
        widened = np.asarray(cv2.dilate(lines, np.ones((1, 2 * half + 1), np.uint8)), np.uint8)
        packed = np.packbits(widened.reshape(mask.shape), axis=-1)
        for dz, dy in offsets:
            if abs(dz) < planes and abs(dy) < rows:
                to = joined[_ahead(dz), _ahead(dy)]
                np.bitwise_or(to, packed[_ahead(-dz), _ahead(-dy)], out=to)
    return np.unpackbits(joined, axis=-1, count=columns).view(np.bool_)


def _rods(radius_mm: float, spacing_mm: Spacing, shape: Shape) -> dict[int, list[tuple[int, int]]]:
    """Offsets (z, y) of the body's rods, by their half length in voxels of x."""
    sz, sy, sx = spacing_mm
    radius = radius_mm + _SLACK_MM
    rods = defaultdict(list)
    for dz in range(-int(radius / sz), int(radius / sz) + 1):
        for dy in range(-int(radius / sy), int(radius / sy) + 1):
            z, y = abs(dz) * sz, abs(dy) * sy
            rest = radius - z - y
            if shape == "ball":
                square = radius**2 - z**2 - y**2
                rest = square**0.5 if square >= 0 else -1
            if rest >= 0:
                rods[int(rest / sx)].append((dz, dy))
    return rods


def _ahead(offset: int) -> slice:
    """Voxels that have a partner `offset` voxels before them."""
    return slice(max(offset, 0), min(offset, 0) or None)
