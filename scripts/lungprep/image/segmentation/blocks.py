"""A coarse copy of the volume, in whole blocks of voxels, and the way back.

Blocks are a whole number of voxels per axis, so coarse and fine masks line up exactly and a
coarse block is the mean of its own voxels: that also divides the noise by the root of their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.block_size import TARGET_MM, block_size
from lungprep.image.segmentation.morphology import Box, Mask, Spacing
from lungprep.image.volume import Volume


@dataclass(frozen=True)
class Blocks:
    """Block means of a volume.

    Attributes
    ----------
    hu : ndarray of int16
        Mean HU per block, axes (z, y, x); the last block of an axis may be a partial one.
    size : tuple of int
        Voxels per block, (z, y, x).
    spacing_mm : tuple of float
        Distance between block centres, (z, y, x).
    fine_shape : tuple of int
        Shape of the volume that the blocks were made of.
    """

    hu: NDArray[np.int16]
    size: tuple[int, int, int]
    spacing_mm: Spacing
    fine_shape: tuple[int, int, int]

    @property
    def block_ml(self) -> float:
        """Volume of one block in millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000

    def crop(self, box: Box) -> tuple["Blocks", Box]:
        """The blocks of a box, and the voxels that they cover in the volume."""
        covered = [
            slice(part.start * k, min(part.stop * k, n))
            for part, k, n in zip(box, self.size, self.fine_shape, strict=True)
        ]
        z, y, x = (part.stop - part.start for part in covered)
        cropped = replace(self, hu=self.hu[box], fine_shape=(z, y, x))
        return cropped, (covered[0], covered[1], covered[2])


def block_means(volume: Volume, target_mm: float = TARGET_MM) -> Blocks:
    """Average a volume over blocks of about `target_mm`.

    Parameters
    ----------
    volume : Volume
        Any spacing; an axis coarser than 1.5 times the target keeps its voxels.
    target_mm : float
        Wanted block edge.

    Returns
    -------
    Blocks
    """
    kz, ky, kx = size = block_size(volume.grid.spacing_mm, target_mm)
    z, y, x = (-(-n // k) for n, k in zip(volume.hu.shape, size, strict=True))
    fine = np.asarray(volume.hu)
    short_y, short_x = y * ky - fine.shape[1], x * kx - fine.shape[2]
    mean = np.empty((z, y, x), np.int16)
    for i in range(z):
        slab = np.empty((min(kz, fine.shape[0] - i * kz), y, x), np.float32)
        for j, slice_ in enumerate(fine[i * kz : i * kz + kz]):
            if short_y or short_x:
                slice_ = cv2.copyMakeBorder(slice_, 0, short_y, 0, short_x, cv2.BORDER_REPLICATE)
            slab[j] = cv2.resize(slice_, (x, y), interpolation=cv2.INTER_AREA)
        mean[i] = np.rint(slab.mean(axis=0))
    sz, sy, sx = (s * k for s, k in zip(volume.grid.spacing_mm, size, strict=True))
    fz, fy, fx = volume.hu.shape
    return Blocks(mean, size, (sz, sy, sx), (fz, fy, fx))


def smoothed(hu: NDArray[Any]) -> NDArray[np.float32]:
    """Mean over three blocks along each axis (z, y, x); the end slices over three of two axes."""
    mean = np.stack([cv2.blur(plane, (3, 3)) for plane in hu.astype(np.float32)])
    mean[1:-1] = (mean[:-2] + mean[1:-1] + mean[2:]) / 3
    return mean


def block_columns(columns: Mask, blocks: Blocks) -> Mask:
    """Columns (y, x) of blocks that hold at least one of the given columns of voxels."""
    _, ky, kx = blocks.size
    rows = np.logical_or.reduceat(columns, np.arange(0, columns.shape[0], ky), axis=0)
    return np.asarray(np.logical_or.reduceat(rows, np.arange(0, columns.shape[1], kx), axis=1))


def block_labels(labels: NDArray[np.uint8], blocks: Blocks) -> NDArray[np.uint8]:
    """Label in the middle of each block."""
    middles = (
        np.minimum(np.arange(0, n, k) + k // 2, n - 1)
        for n, k in zip(labels.shape, blocks.size, strict=True)
    )
    return labels[np.ix_(*middles)]


def fine_slice(coarse: NDArray[np.uint8], blocks: Blocks, z: int) -> NDArray[np.uint8]:
    """Slice `z` of the volume from a coarse label array: each voxel has the value of its block."""
    labels = coarse[z // blocks.size[0]]
    return _enlarge(labels, blocks, cv2.INTER_NEAREST)


def fine_slices(coarse: NDArray[np.uint8], blocks: Blocks) -> Iterator[NDArray[np.bool_]]:
    """Slices of the volume where shares of blocks (0 to 254), interpolated, are half and more."""
    size = blocks.size[0]
    last = len(coarse) - 1
    levels: dict[int, NDArray[np.uint8]] = {}
    for z in range(blocks.fine_shape[0]):
        position = min(max((z + 0.5) / size - 0.5, 0), last)
        below = int(position)
        above = min(below + 1, last)
        for i in {below, above} - levels.keys():
            levels[i] = _enlarge(coarse[i], blocks, cv2.INTER_LINEAR)
        levels = {below: levels[below], above: levels[above]}
        weight = position - below
        blend = cv2.addWeighted(levels[below], 1 - weight, levels[above], weight, 0)
        yield np.asarray(blend > 127)


def _enlarge(slice_: NDArray[np.uint8], blocks: Blocks, interpolation: int) -> NDArray[np.uint8]:
    _, ky, kx = blocks.size
    _, y, x = blocks.fine_shape
    large = cv2.resize(
        slice_, (slice_.shape[1] * kx, slice_.shape[0] * ky), interpolation=interpolation
    )
    return np.asarray(large[:y, :x], np.uint8)
