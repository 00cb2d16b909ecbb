"""From the resampled volume and its mask to the published arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.volume import Grid, Volume


@dataclass(frozen=True)
class Product:
    """What is published of a patient.

    Attributes
    ----------
    hu : ndarray of int16
        The volume, (z, y, x).
    lungs : ndarray of uint8
        Labels on the same grid: 0 outside, 1 right lung, 2 left lung.
    grid : Grid
        Where the voxels lie.
    start, stop : tuple of int
        The crop in the uncropped resampled grid, (z, y, x).
    """

    hu: NDArray[np.int16]
    lungs: NDArray[np.uint8]
    grid: Grid
    start: tuple[int, int, int]
    stop: tuple[int, int, int]


def export(
    volume: Volume,
    labels: NDArray[np.uint8],
    *,
    preset: str,
    crop_margin_mm: float,
    outside_hu: int | None,
) -> Product:
    """Crop a volume to its lungs.

    Parameters
    ----------
    volume : Volume
        int16 HU, (z, y, x).
    labels : ndarray of uint8
        Lung labels on the same grid; at least one voxel is not 0.
    preset : {"hu", "uncropped"}
        Crop, or keep the whole grid.
    crop_margin_mm : float
        Kept around the lungs on each side, rounded up to whole voxels, as far as the grid reaches.
    outside_hu : int or None
        Value for voxels outside the lungs; None keeps their HU.
    """
    start, stop = (0, 0, 0), volume.grid.shape
    if preset != "uncropped":
        start, stop = lung_box(labels, volume.grid, crop_margin_mm)
    window = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
    lungs = np.ascontiguousarray(labels[window])
    hu = np.ascontiguousarray(volume.hu[window])
    if outside_hu is not None:
        hu = np.where(lungs > 0, hu, np.int16(outside_hu))
    return Product(hu, lungs, volume.grid.window(start, stop), start, stop)


def lung_box(
    labels: NDArray[np.uint8], grid: Grid, margin_mm: float
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Start and stop, (z, y, x), of the smallest box around the lungs plus a margin."""
    starts, stops = [], []
    for axis, (size, spacing) in enumerate(zip(grid.shape, grid.spacing_mm, strict=True)):
        others = tuple(a for a in range(3) if a != axis)
        occupied = np.flatnonzero(labels.any(axis=others))
        margin = int(np.ceil(margin_mm / spacing))
        starts.append(max(0, int(occupied[0]) - margin))
        stops.append(min(size, int(occupied[-1]) + 1 + margin))
    return (starts[0], starts[1], starts[2]), (stops[0], stops[1], stops[2])
