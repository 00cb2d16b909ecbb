"""What a volume must be, worked out in float64 from the files' own headers."""

import numpy as np
from numpy.typing import NDArray

from corpus import real
from corpus.files import Files, Series, unpack
from lungprep.image.loading import Scan
from lungprep.image.resampling import resample, target_grid
from lungprep.image.volume import Grid, Triple, Volume

ISOTROPIC = (1.0, 1.0, 1.0)
POSITION_MM = 0.01
# For the rounding of positions: a point on the border is in, for both sides of it.
SLACK = 1e-4
Floats = NDArray[np.float64]


def as_measured(files: Files, volume: Volume, scan: Scan) -> None:
    """Bit by bit the thinned real scan, at its place."""
    np.testing.assert_array_equal(volume.hu, real.hu())
    lies_at(volume, real.affine())


def lies_at(volume: Volume, affine: Floats) -> None:
    """The corners of the volume lie where this affine has them, and its middle after `resample`."""
    assert volume.slicing is None
    for at in np.ndindex(2, 2, 2):
        corner = at * (np.array(volume.hu.shape) - 1)
        is_at(volume.grid.position_mm(tuple(corner)), affine @ [*corner[::-1], 1.0])
    resampled = target_grid(volume.grid, ISOTROPIC)
    middles = [(np.array(grid.shape) - 1) / 2 for grid in (volume.grid, resampled)]
    is_at(resampled.position_mm(tuple(middles[1])), affine @ [*middles[0][::-1], 1.0])
    np.testing.assert_array_equal(resampled.direction, np.eye(3))


def is_at(found: Triple, expected: Floats) -> None:
    assert np.abs(np.array(found) - expected[:3]).max() < POSITION_MM


def as_stacked(files: Files, volume: Volume, scan: Scan) -> None:
    """Bit by bit the slices of an upright scan, head first or last, one upon the other."""
    series = sorted(unpack(files), key=lambda d: float(d.ImagePositionPatient[2]))
    np.testing.assert_array_equal(volume.hu, np.rint([rescaled(dataset) for dataset in series]))
    for index, dataset in ((0, series[0]), (len(series) - 1, series[-1])):
        place = np.array(dataset.ImagePositionPatient, float)
        is_at(volume.grid.position_mm((index, 0, 0)), place)


def as_sampled(files: Files, volume: Volume, scan: Scan) -> None:
    """At 1 mm, each voxel that lies between measured ones is linear between those."""
    from_slices(unpack(files), volume)


def from_slices(series: Series, volume: Volume, tolerance_hu: float = 1.0) -> None:
    """Compare a volume, resampled to 1 mm, with `interpolate` at a subset of its voxels."""
    resampled = resample(volume, ISOTROPIC, interpolation="linear", antialias=False)
    index, points = some_voxels(resampled.grid)
    expected, measured, beyond = interpolate(series, points)
    assert measured.sum() > 1000
    found = resampled.hu[tuple(index.T)]
    np.testing.assert_allclose(found[measured], expected[measured], atol=tolerance_hu)
    assert (found[beyond] == -1024).all()


def some_voxels(grid: Grid, step: int = 5) -> tuple[NDArray[np.int64], Floats]:
    """Indices (z, y, x) of voxels spread over a grid, with all residues, and their places in mm."""
    total = int(np.prod(grid.shape))
    flat = np.arange(0, total, step**3 + 2)
    index = np.stack(np.unravel_index(flat, grid.shape), axis=1)
    homogeneous = np.concatenate([index[:, ::-1], np.ones((len(index), 1))], axis=1)
    return index, (homogeneous @ grid.affine.T)[:, :3]


def interpolate(
    series: Series, points: Floats
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """HU at points, linear between parallel slices, each at the place that its header states.

    A point is projected on the slice normal; the two slices that it lies between are interpolated
    in their own planes (PS3.3 C.7.6.2.1.1), and blended by the distance to each.

    Returns
    -------
    hu : ndarray of float64, shape (n,)
        Clipped to [-1024, 3071] voxel by voxel before it is interpolated.
    measured : ndarray of bool, shape (n,)
        Whether the point lies between measured voxels.
    beyond : ndarray of bool, shape (n,)
        Whether it lies outside the scan by more than half a voxel.
    """
    along_row, down_column = np.reshape(series[0].ImageOrientationPatient, (2, 3)).astype(float)
    normal = np.cross(along_row, down_column)
    series = sorted(series, key=lambda d: float(normal @ np.array(d.ImagePositionPatient, float)))
    origins = np.array([d.ImagePositionPatient for d in series], float)
    row_step, column_step = (float(v) for v in series[0].PixelSpacing)
    stack = np.stack([rescaled(dataset) for dataset in series])

    heights, height = origins @ normal, points @ normal
    below = np.clip(np.searchsorted(heights, height, side="right") - 1, 0, len(series) - 2)
    weight = (height - heights[below]) / (heights[below + 1] - heights[below])
    measured = (weight > -SLACK) & (weight < 1 + SLACK)
    half = np.diff(heights).max() / 2 + SLACK
    beyond = (height < heights[0] - half) | (height > heights[-1] + half)
    blended, aside = np.zeros(len(points)), []
    for slices, share in ((below, 1 - weight), (below + 1, weight)):
        offset = points - origins[slices]
        rows, columns = offset @ down_column / row_step, offset @ along_row / column_step
        blended += share * bilinear(stack, slices, rows, columns)
        measured &= within(stack.shape, rows, columns, SLACK)
        aside.append(~within(stack.shape, rows, columns, 0.5 + SLACK))
    return blended, measured, beyond | np.logical_and(*aside)


def rescaled(dataset) -> Floats:
    """HU of a slice by the standard's formula, clipped; declared padding as -1024."""
    values = dataset.pixel_array.astype(float)
    hu = values * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    if "PixelPaddingValue" in dataset:
        hu[values == dataset.PixelPaddingValue] = -1024
    return np.clip(hu, -1024, 3071)


def within(
    shape: tuple[int, ...], rows: Floats, columns: Floats, margin: float
) -> NDArray[np.bool_]:
    """Whether fractional rows and columns lie in the field, or a margin in pixels around it."""
    height, width = shape[1:]
    inside = (rows >= -margin) & (rows <= height - 1 + margin)
    return inside & (columns >= -margin) & (columns <= width - 1 + margin)


def bilinear(stack: Floats, slices: NDArray[np.int64], rows: Floats, columns: Floats) -> Floats:
    """Values at fractional rows and columns of slices."""
    height, width = stack.shape[1:]
    i = np.clip(np.floor(rows).astype(int), 0, height - 2)
    j = np.clip(np.floor(columns).astype(int), 0, width - 2)
    down, across = rows - i, columns - j
    above = stack[slices, i, j] * (1 - across) + stack[slices, i, j + 1] * across
    beneath = stack[slices, i + 1, j] * (1 - across) + stack[slices, i + 1, j + 1] * across
    values: Floats = above * (1 - down) + beneath * down
    return values
