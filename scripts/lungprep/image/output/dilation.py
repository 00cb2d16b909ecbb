"""Exact dilation of a mask by a ball or diamond given in millimetres, on any spacing.

The structuring element is a bundle of rods along x, one for each offset in z and y. The mask is
dilated along x once for each length of rod, and the results are joined with shifts along z and y
only. Such shifts move whole bytes, so the masks can be packed, eight voxels to a byte.
"""

from collections import defaultdict

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.output.options import Shape

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]
# Rounding errors must not exclude a voxel at exactly the radius.
_SLACK_MM = 1e-6


def dilate(mask: Mask, radius_mm: float, spacing_mm: Spacing, shape: Shape) -> Mask:
    """Add all voxels whose centres lie within a radius of a voxel of the mask.

    Parameters
    ----------
    mask : ndarray of bool
        Axes (z, y, x), C order.
    radius_mm : float
        The radius.
    spacing_mm : tuple of float
        Voxel spacing (z, y, x).
    shape : {"ball", "diamond"}
        Distance that the radius limits: Euclidean for a ball; the sum of the distances along the
        axes for a diamond. On a grid of 1 mm, a diamond of radius n equals n dilations by the six
        neighbours.

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
    """Return the offsets (z, y) of the element's rods, by their half length in voxels of x."""
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
    """Select the voxels that have a partner `offset` voxels before them."""
    return slice(max(offset, 0), min(offset, 0) or None)
