"""Make the published arrays from the resampled volume and its mask."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.image.output.crop import crop_box
from lungprep.image.output.options import ExportOptions
from lungprep.image.output.regions import hidden
from lungprep.image.output.scales import Scale
from lungprep.image.volume import Box, Grid, Volume, extent

HU = ExportOptions()


@dataclass(frozen=True)
class Product:
    """The published arrays of a patient.

    Attributes
    ----------
    voxels : ndarray of int16, uint8 or float32
        The volume, (z, y, x): HU, or stored values according to `scale`.
    lungs : ndarray of uint8
        Labels on the same grid: 0 outside, 1 right lung, 2 left lung.
    grid : Grid
        Positions of the voxels.
    start, stop : tuple of int
        The crop in the uncropped resampled grid, (z, y, x).
    scale : Scale
        Conversion from HU to stored values.
    outside : int or float, optional
        Stored value of hidden voxels; None if all voxels keep their HU.
    """

    voxels: NDArray[Any]
    lungs: NDArray[np.uint8]
    grid: Grid
    start: tuple[int, int, int]
    stop: tuple[int, int, int]
    scale: Scale
    outside: int | float | None

    def values(self) -> dict[str, Any]:
        """Describe the stored values in plain numbers: HU = value * slope_hu + intercept_hu."""
        return {
            **asdict(self.scale),
            "slope_hu": self.scale.slope_hu,
            "intercept_hu": self.scale.intercept_hu,
            "outside": self.outside,
        }


def export(
    volume: Volume,
    labels: NDArray[np.uint8],
    options: ExportOptions = HU,
    lungs_box: Box | None = None,
) -> Product:
    """Crop a volume to its lungs, hide voxels outside them, and scale the values.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    labels : ndarray of uint8
        Lung labels on the same grid; at least one voxel must not be 0.
    options : ExportOptions
        Options for crop, hidden voxels and scale.
    lungs_box : Box, optional
        Result of `volume.extent`, if known; labels outside the crop are then not read.

    Returns
    -------
    Product
        The arrays to publish.
    """
    start, stop = crop_box(lungs_box or extent(labels), volume.grid, options)
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    lungs = np.ascontiguousarray(labels[window])
    hu = volume.hu[window]
    scale, outside = Scale.of(options), None
    voxels = scale.store(hu)
    if options.outside_hu != "keep":
        outside = scale.store_one(options.outside_hu)
        # The crop contains the whole lungs, so hulls and dilations need no voxel outside it.
        voxels[hidden(hu, lungs, volume.grid.spacing_mm, options)] = outside
    return Product(voxels, lungs, volume.grid.window(start, stop), start, stop, scale, outside)
