"""Interpolation along the axes of a scan, one after the other.

Each axis has one banded matrix of weights, so the same few matrix products serve any spacing, any
kernel and uneven slices. One slab of output slices at a time is computed in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MAX, HU_MIN
from lungprep.image.resampling.axes import Axis
from lungprep.image.resampling.kernels import Floats
from lungprep.image.resampling.taps import Taps, taps

Samples = NDArray[np.float32]

# Rows of weights multiplied at once. In a taller block the band is mostly zeros; a lower block
# makes the matrix product too small to be fast.
BLOCK = 32


@dataclass(frozen=True)
class Block:
    """Weights of consecutive outputs: ``out[rows] = weights @ samples[columns]``."""

    rows: slice
    columns: slice
    weights: Samples


def resample_axes(
    hu: NDArray[np.int16], axes: Sequence[Axis], centres: Sequence[Floats]
) -> NDArray[np.int16]:
    """Interpolate at all points of a grid along the scan's own axes.

    Parameters
    ----------
    hu : ndarray of int16, shape (z, y, x)
        The scan, HU.
    axes : sequence of Axis
        Samples and kernel along each axis, (z, y, x).
    centres : sequence of ndarray of float64
        Places of the new voxel centres along each axis, increasing, in the unit of ``Axis.places``.

    Returns
    -------
    ndarray of int16
        HU, one value for each combination of centres, rounded half to even, clipped to
        [-1024, 3071].
    """
    along_z, along_y, along_x = (banded(taps(a, c)) for a, c in zip(axes, centres, strict=True))
    depth, height, width = (len(c) for c in centres)
    out = np.empty((depth, height, width), dtype=np.int16)
    # Interpolated slices that a block needs; the next block needs some of them again.
    planes = np.empty(
        (max(b.columns.stop - b.columns.start for b in along_z), height, width), dtype=np.float32
    )
    held = slice(0, 0)
    for block in along_z:
        first, stop = block.columns.start, block.columns.stop
        # Mirrored weights may reach further down than the weights of the block before.
        skipped = first - held.start
        kept = max(held.stop - first, 0) if skipped >= 0 else 0
        planes[:kept] = planes[skipped : skipped + kept]
        for k in range(first + kept, stop):
            resample_slice(hu[k].astype(np.float32), along_y, along_x, planes[k - first])
        held = block.columns
        slab = block.weights @ planes[: stop - first].reshape(stop - first, -1)
        np.clip(np.rint(slab, out=slab), HU_MIN, HU_MAX, out=slab)
        out[block.rows] = slab.reshape(-1, height, width)
    return out


def resample_slice(
    slice_: Samples, along_y: list[Block], along_x: list[Block], out: Samples
) -> None:
    """Interpolate one slice, shape (rows, columns), along both of its axes into ``out``."""
    tall = np.empty((along_y[-1].rows.stop, slice_.shape[1]), dtype=np.float32)
    for block in along_y:
        np.matmul(block.weights, slice_[block.columns], out=tall[block.rows])
    for block in along_x:
        out[:, block.rows] = tall[:, block.columns] @ block.weights.T


def banded(found: Taps) -> list[Block]:
    """Turn the taps of increasing points on one axis into blocks of a matrix.

    Returns
    -------
    list of Block
        float32 weights in blocks of up to 32 points, each with the band of samples that it needs.
    """
    blocks = []
    for start in range(0, found.indices.shape[1], BLOCK):
        part = slice(start, start + BLOCK)
        some = Taps(found.indices[:, part], found.weights[:, part])
        columns = slice(int(some.indices.min()), int(some.indices.max()) + 1)
        rows = slice(start, start + some.indices.shape[1])
        blocks.append(Block(rows, columns, dense(some, columns)))
    return blocks


def dense(found: Taps, columns: slice) -> Samples:
    """Make a float32 matrix with a row for each point and a column for each sample of a range."""
    points = found.indices.shape[1]
    matrix = np.zeros((points, columns.stop - columns.start))
    np.add.at(matrix, (np.arange(points), found.indices - columns.start), found.weights)
    return matrix.astype(np.float32)
