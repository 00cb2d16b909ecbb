"""Choose the box of the resampled grid that is published."""

from collections.abc import Sequence
from math import ceil

from lungprep.image.output.options import ExportOptions
from lungprep.image.volume import Box, Grid


def crop_box(lungs_box: Box, grid: Grid, options: ExportOptions) -> Box:
    """Return the box to publish, given the smallest box around the lungs."""
    if options.crop_margin_mm == "keep":
        return (0, 0, 0), grid.shape
    return lung_box(lungs_box, grid, options.crop_margin_mm)


def lung_box(lungs_box: Box, grid: Grid, margin_mm: Sequence[Sequence[float]]) -> Box:
    """Return the box of the lungs plus a margin, cut at the edge of the grid.

    Parameters
    ----------
    lungs_box : Box
        The smallest box around the lungs.
    grid : Grid
        Grid of the labels.
    margin_mm : sequence of 3 pairs of float
        Margin per axis (z, y, x), below and above, rounded up to whole voxels.
    """
    starts, stops = [], []
    for axis, (below, above) in enumerate(margin_mm):
        first, stop = (corner[axis] for corner in lungs_box)
        spacing = grid.spacing_mm[axis]
        starts.append(max(0, first - ceil(below / spacing)))
        stops.append(min(grid.shape[axis], stop + ceil(above / spacing)))
    return (starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2])
