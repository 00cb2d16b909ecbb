"""Estimate the memory of each step before it starts, in MB of 1024² bytes.

Each estimate is the sum of the arrays that a step holds at its peak, and of the process itself. In
the cases of ``benchmarks/memory``, the estimate was never less than the peak of the resident
memory, and at most 1.5 times as much (docs/memory.md). Mapped pages of a step's inputs are
included: the system may drop them, but would then have to read them again.
"""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from lungprep.image.methods import NETWORKS
from lungprep.image.output.crop import crop_box
from lungprep.image.output.options import ExportOptions
from lungprep.image.resampling.grids import target_grid
from lungprep.image.segmentation.block_size import block_size
from lungprep.image.volume import Box, Grid, Slicing, Triple

if TYPE_CHECKING:
    from lungprep.resources.footprint import Footprint

MB = 1 << 20
# Margin for variation: the peaks of two runs differ by 3 %.
_SLACK = 1.05
# Interpreter, libraries and small objects of each step, MB.
_LOAD, _RESAMPLE, _SEGMENT, _PUBLISH = 82, 80, 95, 72
# Header and bookkeeping of a slice, MB.
_SLICE = 0.025
# The classical method holds these multiples of the volume and of its blocks, both as int16.
_CLASSICAL = (1.5, 13.0)
# Slices that one matrix product makes, and additional slices that the spline reads on both sides.
_SLAB, _SPLINE = 32, 26
# Masks, of one byte per voxel, that are held while voxels are hidden; numpy's buffer for writing an
# array into memory, MB.
_MASKS, _WRITTEN = 5.6, 32


def load_mb(footprint: "Footprint") -> int:
    """Estimate load: the larger of objects and volume, or both if objects can't be freed.

    Objects in transfer are held twice.
    """
    stored, decoded = footprint.stored_bytes / MB, footprint.decoded_bytes / MB
    held = max(stored, decoded) if footprint.streams else stored + max(stored, decoded)
    arriving = footprint.arriving_bytes / MB
    return _rounded(_LOAD + held + arriving + _SLICE * footprint.objects)


def resample_mb(
    grid: Grid, slicing: Slicing | None, spacing_mm: Triple, interpolation: str = "linear"
) -> int:
    """Estimate resample: the scan, the result, and the float32 slices of one slab."""
    out = target_grid(grid, spacing_mm, slicing)
    step = out.spacing_mm[0] / grid.spacing_mm[0]
    reach = max(step, 1) * (_SPLINE if interpolation == "cubic" else 2)
    depth = min(_SLAB, out.shape[0]) + min(_SLAB * step + reach, grid.shape[0])
    planes = depth * out.shape[1] * out.shape[2] * 4 / MB
    return _rounded(_RESAMPLE + int16_mb(grid.shape) + int16_mb(out.shape) + planes)


def segment_mb(grid: Grid, method: str) -> int:
    """Estimate segment: multiples of the volume and, in the classical method, of its blocks.

    If voxels are nearly as large as blocks, between 1.34 and 2 mm, a block is one voxel.
    """
    if method in NETWORKS:
        process, multiple = NETWORKS[method].process_mb, NETWORKS[method].volumes
        return round(process + multiple * int16_mb(grid.shape))
    size = block_size(grid.spacing_mm)
    blocks = [-(-n // k) for n, k in zip(grid.shape, size, strict=True)]
    fine, coarse = _CLASSICAL
    return _rounded(_SEGMENT + fine * int16_mb(grid.shape) + coarse * int16_mb(blocks))


def publish_mb(grid: Grid, lungs_box: Box, options: ExportOptions) -> int:
    """Estimate publish: the mapped slices of the crop, the arrays, and their masks or files.

    Parameters
    ----------
    grid : Grid
        Grid of the resampled volume.
    lungs_box : Box
        Smallest box around the lungs.
    options : ExportOptions
        Options for crop, hidden voxels and scale.
    """
    start, stop = crop_box(lungs_box, grid, options)
    shape = [b - a for a, b in zip(start, stop, strict=True)]
    voxels = prod(shape) / MB
    array = voxels * np.dtype(options.dtype).itemsize
    mapped = 1.5 * int16_mb((shape[0], *grid.shape[1:]))
    lungs = 0.0 if tuple(shape) == grid.shape else voxels
    masks = 0.0 if options.outside_hu == "keep" else _MASKS * voxels
    files = array + voxels + min(_WRITTEN, array)
    return _rounded(_PUBLISH + mapped + array + lungs + max(masks, files))


def int16_mb(shape: Sequence[int]) -> float:
    """Return the size of an int16 array, MB."""
    return 2 * prod(shape) / MB


def _rounded(mb: float) -> int:
    return round(_SLACK * mb)
