"""From the resampled volume and its mask to the published arrays."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.output.options import ExportOptions
from lungprep.output.regions import hidden
from lungprep.output.scales import Scale
from lungprep.volume import Grid, Volume

HU = ExportOptions()


@dataclass(frozen=True)
class Product:
    """What is published of a patient.

    Attributes
    ----------
    voxels : ndarray of int16, uint8 or float32
        The volume, (z, y, x): HU, or what `scale` makes of them.
    lungs : ndarray of uint8
        Labels on the same grid: 0 outside, 1 right lung, 2 left lung.
    grid : Grid
        Where the voxels lie.
    start, stop : tuple of int
        The crop in the uncropped resampled grid, (z, y, x).
    scale : Scale
        How stored values came from HU.
    outside : int or float, optional
        Stored value of voxels outside; None where they kept their HU.
    """

    voxels: NDArray[Any]
    lungs: NDArray[np.uint8]
    grid: Grid
    start: tuple[int, int, int]
    stop: tuple[int, int, int]
    scale: Scale
    outside: int | float | None

    def values(self) -> dict[str, Any]:
        """What the stored values mean, as plain numbers: HU = value * slope_hu + intercept_hu."""
        return {
            **asdict(self.scale),
            "slope_hu": self.scale.slope_hu,
            "intercept_hu": self.scale.intercept_hu,
            "outside": self.outside,
        }


def export(volume: Volume, labels: NDArray[np.uint8], options: ExportOptions = HU) -> Product:
    """Crop a volume to its lungs, hide what is not wanted and scale the rest.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    labels : ndarray of uint8
        Lung labels on the same grid; at least one voxel is not 0.
    options : ExportOptions
        Crop, region and scale.
    """
    start, stop = (0, 0, 0), volume.grid.shape
    if options.crop_margin_mm != "keep":
        start, stop = lung_box(labels, volume.grid, options.crop_margin_mm)
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    lungs = np.ascontiguousarray(labels[window])
    hu = volume.hu[window]
    scale, outside = Scale.of(options), None
    voxels = scale.store(hu)
    if options.outside_hu != "keep":
        outside = scale.store_one(options.outside_hu)
        # Bodies are convex and boxes straight, so what the crop leaves out reaches no voxel in it.
        voxels[hidden(hu, lungs, volume.grid.spacing_mm, options)] = outside
    return Product(voxels, lungs, volume.grid.window(start, stop), start, stop, scale, outside)


def lung_box(
    labels: NDArray[np.uint8], grid: Grid, margin_mm: Sequence[Sequence[float]]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Start and stop, (z, y, x), of the smallest box around the lungs plus a margin.

    Parameters
    ----------
    labels : ndarray of uint8
        Lung labels; at least one voxel is not 0.
    grid : Grid
        Their grid.
    margin_mm : sequence of 3 pairs of float
        Margin per axis (z, y, x), below and above, rounded up to whole voxels, as far as the grid
        reaches.
    """
    starts, stops = [], []
    for axis, (below, above) in enumerate(margin_mm):
        others = tuple(a for a in range(3) if a != axis)
        occupied = np.flatnonzero(labels.any(axis=others))
        spacing = grid.spacing_mm[axis]
        starts.append(max(0, int(occupied[0]) - int(np.ceil(below / spacing))))
        reach = int(occupied[-1]) + 1 + int(np.ceil(above / spacing))
        stops.append(min(grid.shape[axis], reach))
    return (starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2])
