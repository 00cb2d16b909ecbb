"""How much memory the steps take, in MB of 1024² bytes, by what is known before they start.

Each estimate is the sum of what a step holds at its peak, plus the process itself, as measured over
the cases of ``benchmarks/memory``: there it was never less than the peak of the resident memory,
and at most 1.5 times as much (docs/memory.md). Mapped pages of a step's inputs count: the system
may take them back, but only by reading them anew.
"""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from lungprep.output.crop import crop_box
from lungprep.output.options import ExportOptions
from lungprep.resampling.grids import target_grid
from lungprep.segmentation.block_size import block_size
from lungprep.volume import Box, Grid, Slicing, Triple

if TYPE_CHECKING:
    from lungprep.footprint import Footprint

MB = 1 << 20
# Of all that is not known before: the peaks of two runs differ by 3 %.
_SLACK = 1.05
# Interpreter, libraries and small change of a step, MB.
_LOAD, _RESAMPLE, _SEGMENT, _PUBLISH = 82, 80, 95, 72
# Header and bookkeeping of a slice, MB.
_SLICE = 0.025
# Multiples of the volume and of its blocks, both as int16, that the classical method holds.
_CLASSICAL = (1.5, 13.0)
# Process, MB, and multiple of the volume; docs/networks.md has what was measured.
_NETWORKS = {"lungmask": (1500, 10), "totalsegmentator": (3000, 12)}
# Slices that one matrix product makes, and those that the spline reads beyond, on both sides.
_SLAB, _SPLINE = 32, 26
# Masks of a byte a voxel that hiding what is outside needs at a time; bytes that numpy copies at a
# time when it writes an array into memory.
_MASKS, _WRITTEN = 5.6, 32


def load_mb(footprint: "Footprint") -> int:
    """Load: the objects or the volume, whichever are more, or both where none can be let go.

    On top of them comes the second copy of those objects that are being received.
    """
    stored, decoded = footprint.stored_bytes / MB, footprint.decoded_bytes / MB
    held = max(stored, decoded) if footprint.streams else stored + max(stored, decoded)
    arriving = footprint.arriving_bytes / MB
    return _rounded(_LOAD + held + arriving + _SLICE * footprint.objects)


def resample_mb(
    grid: Grid, slicing: Slicing | None, spacing_mm: Triple, interpolation: str = "linear"
) -> int:
    """Resample: the scan, the result and the slices in float32 that a slab of it is made from."""
    out = target_grid(grid, spacing_mm, slicing)
    step = out.spacing_mm[0] / grid.spacing_mm[0]
    reach = max(step, 1) * (_SPLINE if interpolation == "cubic" else 2)
    depth = min(_SLAB, out.shape[0]) + min(_SLAB * step + reach, grid.shape[0])
    planes = depth * out.shape[1] * out.shape[2] * 4 / MB
    return _rounded(_RESAMPLE + int16_mb(grid.shape) + int16_mb(out.shape) + planes)


def segment_mb(grid: Grid, method: str) -> int:
    """Segment: multiples of the volume, and of its blocks by the classical method.

    Where voxels are nearly as large as blocks, between 1.34 and 2 mm, a block is one voxel.
    """
    if method != "classical":
        process, multiple = _NETWORKS[method]
        return round(process + multiple * int16_mb(grid.shape))
    size = block_size(grid.spacing_mm)
    blocks = [-(-n // k) for n, k in zip(grid.shape, size, strict=True)]
    fine, coarse = _CLASSICAL
    return _rounded(_SEGMENT + fine * int16_mb(grid.shape) + coarse * int16_mb(blocks))


def publish_mb(grid: Grid, lungs_box: Box, options: ExportOptions) -> int:
    """Publish: the mapped slices of the crop, the arrays, and their masks or files.

    Parameters
    ----------
    grid : Grid
        Of the resampled volume.
    lungs_box : Box
        Of the lungs in it.
    options : ExportOptions
        Crop, scale and what is hidden.
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
    """Size of an array of int16."""
    return 2 * prod(shape) / MB


def _rounded(mb: float) -> int:
    return round(_SLACK * mb)
