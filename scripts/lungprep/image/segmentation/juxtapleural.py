"""Nodules and tumours that sit on the pleura, which no threshold tells from the chest wall.

A rolling ball that is large enough for them also rounds off the aorta, the heart and the ribs. So
disks roll in axial, coronal and sagittal slices apart, and vote. A nodule dents the lung in all
three planes; a vessel or the spine runs straight along at least one of them, and is dented in the
others alone. Near the chest wall, which has little that bulges inwards, two votes are enough. What
goes on straight to both sides, as an aorta between two parts of a lung does, is no nodule. Nor is
a dent that borders on more tissue than lung: it rounds off something larger, such as the heart,
unless the tissue is the chest wall. Rolling per plane follows Pu et al., Comput Med Imaging Graph
32(6), 2008 (adaptive border marching); the votes are new.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks, smoothed
from lungprep.image.segmentation.morphology import Mask, Spacing, bounding_box, dilate, erode
from lungprep.image.segmentation.rolling import goes_on, unreached


class _Disk(NamedTuple):
    """What rolls, on blocks of `step_mm`, and what counts as a lesion then, in mm.

    A disk fills a dent of half its radius almost whole.
    """

    radius_mm: float
    step_mm: float
    straight_mm: float  # what goes on for longer to both sides is a vessel
    wall_mm: float  # how near the chest wall two votes are enough
    bulge: float  # least area towards the lung, of that towards tissue; inf: only on the wall


_DISKS = (
    _Disk(12.0, 2.0, 20.0, 16.0, 1.2),
    _Disk(16.0, 2.0, 24.0, 16.0, 1.2),
    _Disk(24.0, 2.0, 30.0, 24.0, 1.2),
    _Disk(36.0, 4.0, 36.0, 24.0, 1.2),
    _Disk(60.0, 4.0, 48.0, 36.0, np.inf),
)
_LINE_STEP_MM = 4.0
# The base of a lesion on the wall seems to go on straight, along the wall.
_BASE_MM = 8.0
# On the wall is what has this share of its tissue side within this depth.
_ON_WALL, _RIND_MM = 0.6, 12.0
# Thinner fillings are the curvature of heart and aorta; thick ones keep a rim that runs out.
_THICK_MM = 3.0
_RIM_MM = 8.0
# What was filled before lies within this distance of the rest of its lesion.
_NOTCH_MM = 6.0
# Neither bone nor a vessel full of contrast agent is a lesion.
_BRIGHT_HU = 150
# Vessels and nodes around a main bronchus are the hilum, unless they are larger.
_HILUM_MM, _HILUM_ML = 6.0, 25.0


def include_juxtapleural(
    aerated: NDArray[np.uint8],
    solid: NDArray[np.uint8],
    barred: Mask,
    airways: Mask,
    blocks: Blocks,
) -> NDArray[np.uint8]:
    """Add what dents the lungs.

    Parameters
    ----------
    aerated, solid : ndarray of uint8
        Lungs as their air shows them, and with vessels and small notches filled: 0 elsewhere, 1
        right, 2 left; axes (z, y, x).
    barred : ndarray of bool
        Where no lung may be: airways and other air.
    airways : ndarray of bool
        Lumen of trachea and main bronchi.
    blocks : Blocks
        The coarse volume.

    Returns
    -------
    ndarray of uint8
        The same with the lesions.
    """
    spacing_mm = blocks.spacing_mm
    depth_mm = _depth_mm(solid > 0, spacing_mm)
    hilum = dilate(airways, _HILUM_MM, spacing_mm)
    grown = solid.copy()
    for side in np.unique(solid[solid > 0]):
        box = bounding_box(solid == side, 0, spacing_mm)
        lung = solid[box] == side
        notches = lung & (aerated[box] != side)
        free = (solid[box] == 0) & ~barred[box] & (smoothed(blocks.hu[box]) < _BRIGHT_HU)
        found = np.zeros_like(lung)
        for disk in _DISKS:
            dent = _dents(lung, notches, depth_mm[box], disk, spacing_mm) & free
            found |= _lesions(dent, lung, depth_mm[box], hilum[box], disk.bulge, blocks)
        if found.any():
            near = dilate(found, max(spacing_mm), spacing_mm)
            grown[box][(smoothed(lung | found) > 0.5) & near & free] = side
    return grown


def _dents(
    lung: Mask,
    notches: Mask,
    depth_mm: NDArray[np.float32],
    disk: _Disk,
    spacing_mm: Spacing,
) -> Mask:
    """Places that the disk can't reach, thick enough with the notches that were filled before."""
    votes = unreached(lung, disk.radius_mm, disk.step_mm, spacing_mm)
    dent = ((votes == 3) | ((votes == 2) & (depth_mm <= disk.wall_mm))) & ~lung
    vessel = goes_on(lung, disk.straight_mm, _LINE_STEP_MM, spacing_mm)
    dent &= ~vessel | (depth_mm <= _BASE_MM)
    thick = erode(dent | notches, _THICK_MM, spacing_mm)
    core = dilate(thick & dilate(dent, _NOTCH_MM, spacing_mm), _THICK_MM + _RIM_MM, spacing_mm)
    return np.asarray(dent & core)


def _lesions(
    dent: Mask,
    lung: Mask,
    depth_mm: NDArray[np.float32],
    hilum: Mask,
    bulge: float,
    blocks: Blocks,
) -> Mask:
    """Pieces that bulge into the lung or sit on the chest wall, and are no hilum."""
    pieces, count = cc3d.connected_components(dent, connectivity=6, return_N=True)
    to_lung, to_tissue, to_wall = (np.zeros(count + 1) for _ in range(3))
    found = np.nonzero(dent)
    number = pieces[found]
    for axis, ahead, mm2 in _directions(blocks.spacing_mm):
        place = found[axis] + ahead
        within = (place >= 0) & (place < dent.shape[axis])
        beside = tuple(np.where(within, place, 0) if a == axis else found[a] for a in range(3))
        face = within & ~dent[beside]
        is_lung = face & lung[beside]
        is_tissue = face & ~is_lung
        is_wall = is_tissue & (depth_mm[beside] <= _RIND_MM)
        to_lung += mm2 * np.bincount(number[is_lung], minlength=count + 1)
        to_tissue += mm2 * np.bincount(number[is_tissue], minlength=count + 1)
        to_wall += mm2 * np.bincount(number[is_wall], minlength=count + 1)
    size_ml = np.bincount(number, minlength=count + 1) * blocks.block_ml
    at_hilum = np.bincount(pieces[hilum], minlength=count + 1) > 0
    bulges = (to_lung > 0) & (to_lung >= bulge * np.maximum(to_tissue, 1))
    keep = bulges | (to_wall >= _ON_WALL * np.maximum(to_tissue, 1))
    keep &= ~at_hilum | (size_ml >= _HILUM_ML)
    keep[0] = False
    return np.asarray(keep[pieces])


def _directions(spacing_mm: Spacing) -> Iterator[tuple[int, int, float]]:
    """Axis, step along it, and area of the face between two blocks in mm²."""
    volume = math.prod(spacing_mm)
    for axis, step in enumerate(spacing_mm):
        yield axis, 1, volume / step
        yield axis, -1, volume / step


def _depth_mm(lungs: Mask, spacing_mm: Spacing) -> NDArray[np.float32]:
    """Distance in each axial slice to the outside of the convex hull that both lungs share."""
    depth = np.zeros(lungs.shape, np.float32)
    for lung, deep in zip(lungs, depth, strict=True):
        outlines, _ = cv2.findContours(
            lung.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        if outlines:
            corners = cv2.convexHull(np.concatenate(outlines))
            hull = cv2.fillConvexPoly(np.zeros(lung.shape, np.uint8), corners, 1)
            hull = cv2.copyMakeBorder(hull, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
            deep[:] = cv2.distanceTransform(hull, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    return depth * np.float32(np.sqrt(spacing_mm[1] * spacing_mm[2]))
