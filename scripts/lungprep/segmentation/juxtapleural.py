"""Nodules and tumours that sit on the pleura, which no threshold tells from the chest wall.

A rolling ball that is large enough for them also rounds off the aorta, the heart and the ribs. So
disks roll instead, in axial, coronal and sagittal slices apart, and vote. A nodule dents the lung
in all three planes; a vessel or the spine runs straight along at least one of them, and is dented
in the others alone. Heart and liver are rounder than the disks. Where the chest wall is near, two
votes are enough: it has nothing that bulges inwards. What goes on for long to both sides, as an
aorta between two parts of a lung does, is no nodule whatever the votes. Rolling per plane follows
Pu et al., Comput Med Imaging Graph 32(6), 2008 (adaptive border marching); the vote is new.
"""

from itertools import product
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.segmentation.blocks import Blocks
from lungprep.segmentation.morphology import Mask, Spacing, bounding_box, dilate, erode
from lungprep.segmentation.sides import LEFT, RIGHT

_Value = TypeVar("_Value", bound=np.generic)
_DIRECTIONS = [d for d in product((-1, 0, 1), repeat=3) if d > (0, 0, 0)]
# Radius of the disks, and the step that is fine enough for them, mm. A disk fills a dent of half
# its radius almost whole.
_DISKS_MM = ((16.0, 2.0, 24.0), (40.0, 4.0, 36.0))
_STRAIGHT_MM = 4.0
_WALL_MM = 16.0
_SKIN_MM = 8.0
# Thinner fillings are the curvature of heart and aorta; thick ones keep a rim that runs out.
_THICK_MM = 3.0
_RIM_MM = 8.0


def include_juxtapleural(solid: NDArray[np.uint8], barred: Mask, blocks: Blocks) -> None:
    """Add what dents the lungs.

    Parameters
    ----------
    solid : ndarray of uint8
        Lungs with their vessels filled: 0 elsewhere, 1 right, 2 left; axes (z, y, x). Added to in
        place.
    barred : ndarray of bool
        Where no lung may be: airways and other air.
    blocks : Blocks
        The coarse volume.
    """
    spacing_mm = blocks.spacing_mm
    wall = _beside_the_wall(solid > 0, _WALL_MM, spacing_mm)
    skin = _beside_the_wall(solid > 0, _SKIN_MM, spacing_mm)
    for radius_mm, step_mm, half_mm in _DISKS_MM:
        for side in (RIGHT, LEFT):
            lung = solid == side
            box = bounding_box(lung, 0, spacing_mm)
            votes = _votes(lung[box], radius_mm, step_mm, spacing_mm)
            free = (solid[box] == 0) & ~barred[box]
            free &= ~_goes_on(~lung[box], half_mm, spacing_mm) | skin[box]
            dent = ((votes == 3) | ((votes == 2) & wall[box])) & free
            core = dilate(erode(dent, _THICK_MM, spacing_mm), _THICK_MM + _RIM_MM, spacing_mm)
            dent &= core
            if dent.any():
                solid[box][_smooth(lung[box] | dent) & core & free] = side


def _goes_on(tissue: Mask, half_mm: float, spacing_mm: Spacing) -> Mask:
    """Where a straight line of this half length, in one of 13 directions, stays in tissue.

    What lies beyond the array counts as tissue.
    """
    size = [max(1, int(_STRAIGHT_MM / step + 0.5)) for step in spacing_mm]
    coarse = _majority(tissue, size)
    found = np.zeros(coarse.shape, np.bool_)
    for direction in _DIRECTIONS:
        step_mm = np.hypot.reduce(np.array(direction) * size * spacing_mm)
        found |= _along(coarse, direction, int(half_mm / step_mm + 0.5))
    return _enlarged(found, size, tissue.shape)


def _along(mask: Mask, direction: tuple[int, ...], reach: int) -> Mask:
    """Where all blocks up to `reach` steps to both sides are set."""
    if any(reach * abs(d) >= n for d, n in zip(direction, mask.shape, strict=True)):
        reach = min(n - 1 for d, n in zip(direction, mask.shape, strict=True) if d)
    ends = [mask.copy(), mask.copy()]
    done = 0
    while done < reach:
        step = min(done + 1, reach - done)
        for end, sign in zip(ends, (1, -1), strict=True):
            here, there = (
                tuple(
                    slice(max(k * d * step, 0), min(k * d * step, 0) or None) for d in direction
                )
                for k in (sign, -sign)
            )
            shifted = end[here].copy()
            end[there] &= shifted
        done += step
    return np.asarray(ends[0] & ends[1])


def _votes(mask: Mask, radius_mm: float, step_mm: float, spacing_mm: Spacing) -> NDArray[np.uint8]:
    """In how many of the three planes a disk that rolls outside the mask can't reach a block."""
    size = [max(1, int(step_mm / step + 0.5)) for step in spacing_mm]
    coarse = _majority(mask, size)
    votes = np.zeros(coarse.shape, np.uint8)
    for axis in range(3):
        rows, columns = (i for i in range(3) if i != axis)
        reach = [int(radius_mm / (spacing_mm[i] * size[i]) + 0.5) for i in (rows, columns)]
        for plane, vote in zip(
            np.moveaxis(coarse, axis, 0), np.moveaxis(votes, axis, 0), strict=True
        ):
            if plane.any():
                vote += _rolled(plane, *reach)
    return _enlarged(votes, size, mask.shape)


def _majority(mask: Mask, size: list[int]) -> Mask:
    """Coarser mask: where at least half of a box of `size` is set."""
    if size == [1, 1, 1]:
        return mask
    padded = np.pad(mask, [(0, -n % k) for n, k in zip(mask.shape, size, strict=True)])
    parts = [m for n, k in zip(padded.shape, size, strict=True) for m in (n // k, k)]
    return np.asarray(padded.reshape(parts).mean(axis=(1, 3, 5), dtype=np.float32) >= 0.5)


def _enlarged(coarse: NDArray[_Value], size: list[int], shape: tuple[int, ...]) -> NDArray[_Value]:
    """Undo `_majority`: each block has the value of its box."""
    for axis, factor in enumerate(size):
        coarse = coarse.repeat(factor, axis)
    return coarse[tuple(slice(n) for n in shape)]


def _rolled(plane: Mask, down: int, across: int) -> NDArray[np.uint8]:
    """Closing of a plane by an ellipse of these half axes, in pixels; nothing lies beyond it."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * across + 1, 2 * down + 1))
    framed = cv2.copyMakeBorder(
        np.ascontiguousarray(plane).view(np.uint8),
        *(down, down, across, across),
        cv2.BORDER_CONSTANT,
        value=0,
    )
    closed = cv2.erode(cv2.dilate(framed, disk), disk)
    return np.asarray(closed[down : down + plane.shape[0], across : across + plane.shape[1]])


def _smooth(mask: Mask) -> Mask:
    """Where most of the 27 blocks around are set: the steps of coarser blocks are gone."""
    share = np.stack([cv2.blur(plane, (3, 3)) for plane in mask.astype(np.float32)])
    share[1:-1] = (share[:-2] + share[1:-1] + share[2:]) / 3
    return np.asarray(share > 0.5)


def _beside_the_wall(lungs: Mask, depth_mm: float, spacing_mm: Spacing) -> Mask:
    """Within reach of the outside of the convex hull that both lungs share in an axial slice."""
    _, dy, dx = spacing_mm
    reach = (2 * int(depth_mm / dx + 0.5) + 1, 2 * int(depth_mm / dy + 0.5) + 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, reach)
    beside = np.ones(lungs.shape, np.bool_)
    for lung, near in zip(lungs, beside, strict=True):
        points = cv2.findNonZero(lung.view(np.uint8))
        if points is not None:
            hull = cv2.fillConvexPoly(np.zeros(lung.shape, np.uint8), cv2.convexHull(points), 1)
            inner = cv2.erode(hull, disk, borderType=cv2.BORDER_CONSTANT, borderValue=0)
            np.equal(inner, 0, out=near)
    return beside
