"""Interpolation at points that do not lie on a grid along the scan's axes.

Every point is evaluated once, from the samples around it. The slices around the point are found by
height; each slice is interpolated in its own plane, and the values are blended by height.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MIN
from lungprep.image.resampling.boxes import Along, Reading, Scan, read, read_box
from lungprep.image.resampling.kernels import Floats
from lungprep.image.resampling.separable import Samples
from lungprep.image.resampling.taps import Indices, nearest_sample

# Tolerance for rounding errors: a point on the edge of a field belongs to the field.
RIM = 1e-6


def evaluate(scan: Scan, points: Sequence[Floats]) -> Samples | None:
    """Interpolate a scan at the points of a tile.

    A point counts as measured if it lies in the field of the nearest slice. Slices whose field does
    not include the point are left out of its value, and the other weights are scaled to a sum of
    one.

    Parameters
    ----------
    scan : Scan
        The scan.
    points : sequence of ndarray of float64
        Index of each point along each array axis of the scan. Each array broadcasts to the tile's
        shape (z, y, x), and has size one along the axes on which it does not depend.

    Returns
    -------
    ndarray of float32 or None
        HU, of the tile's shape, -1024 at points that were not measured; None if no point was.
    """
    nearest = nearest_sample(scan.axes[scan.slices], points[scan.slices])
    measured = _in_field(scan, points, range(3), nearest)
    if not measured.any():
        return None
    box, along = read_box(scan, points)
    if scan.shifts.any():
        values = _blend_slices(scan, points, box, along)
    else:
        values = _interpolate(box, [a.reading for a in along], along[2].made)
    values[~np.broadcast_to(measured, values.shape)] = HU_MIN
    return values


def _in_field(
    scan: Scan, points: Sequence[Floats], axes: Iterable[int], slices: Indices
) -> NDArray[np.bool_]:
    """Mark the points that lie in the field of the given slices, along some array axes."""
    inside = np.ones((1, 1, 1), dtype=bool)
    for a in axes:
        low, high = scan.axes[a].limits
        places = points[a] - scan.shifts[slices, a] if scan.shifted(a) else points[a]
        inside = inside & (places >= low - RIM) & (places <= high + RIM)
    return inside


def _blend_slices(
    scan: Scan, points: Sequence[Floats], box: Samples, along: Sequence[Along]
) -> Samples:
    """Interpolate shifted slices one by one, each at the points' places in its own plane."""
    shifted = [a for a in scan.planar if scan.shifted(a)]
    readings = [a.reading for a in along]
    total = weight_sum = np.zeros((1, 1, 1), dtype=np.float32)
    for entries, weights in zip(*along[scan.slices].reading, strict=True):
        slices = entries + along[scan.slices].start
        readings[scan.slices] = Reading(entries[None], np.ones((1, 1, 1, 1), dtype=np.float32))
        for a in shifted:
            places = points[a] - scan.shifts[slices, a]
            readings[a] = read(scan, a, places, along[a].start)
        share = weights * _in_field(scan, points, shifted, slices)
        total = total + share * _interpolate(box, readings, along[2].made)
        weight_sum = weight_sum + share
    weight_sum[weight_sum == 0] = 1
    return total / weight_sum


def _interpolate(box: Samples, readings: Sequence[Reading], rows: bool) -> Samples:
    """Blend entries of a box; with ``rows``, each row of the box holds the points of a tile row."""
    _, height, width = box.shape
    along_z, along_y, along_x = readings
    total = np.zeros((1, 1, 1), dtype=np.float32)
    for z, weight_z in zip(*along_z, strict=True):
        for y, weight_y in zip(*along_y, strict=True):
            row = z * height + y
            if rows and row.shape[2] == 1:
                values = np.take(box.reshape(-1, width), row[..., 0], axis=0)
            else:
                values = np.zeros((1, 1, 1), dtype=np.float32)
                for x, weight_x in zip(*along_x, strict=True):
                    values = values + weight_x * np.take(box, row * width + x)
            total = total + weight_z * weight_y * values
    return total
