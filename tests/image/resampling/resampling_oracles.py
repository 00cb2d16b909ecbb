"""Slow evaluations in float64 that share no code with the library, and scans made to be known."""

import numpy as np
import SimpleITK as sitk  # noqa: N813
from scipy.ndimage import map_coordinates

from lungprep.image.volume import IDENTITY, Grid, Slicing, Volume

ORDER = {"nearest": 0, "linear": 1, "cubic": 3}
SITK = {
    "nearest": sitk.sitkNearestNeighbor,
    "linear": sitk.sitkLinear,
    "cubic": sitk.sitkBSpline,
}
ORIGIN = (10.0, -20.0, 30.0)


def rotation(x_deg, y_deg, z_deg):
    """Turned about x, then y, then z: columns are where the axes x, y and z go."""
    (cx, cy, cz), (sx, sy, sz) = (f(np.radians([x_deg, y_deg, z_deg])) for f in (np.cos, np.sin))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def grid_of(shape, spacing_mm, direction=IDENTITY, origin_mm=ORIGIN):
    matrix = tuple(tuple(float(v) for v in row) for row in np.array(direction))
    return Grid(tuple(shape), tuple(spacing_mm), tuple(origin_mm), matrix)


def random_volume(shape, spacing_mm, direction=IDENTITY, slicing=None, seed=0):
    """Noise whose spline stays within [-1024, 3071], by and large."""
    rng = np.random.default_rng(seed)
    hu = rng.integers(0, 900, shape).astype(np.int16)
    return Volume(hu, grid_of(shape, spacing_mm, direction), slicing)


def slicing_of(positions_mm, shifts_mm=None, axis=0):
    positions = tuple(float(p) for p in positions_mm)
    shifts = np.zeros((len(positions), 2)) if shifts_mm is None else np.array(shifts_mm)
    return Slicing(axis, positions, tuple((float(a), float(b)) for a, b in shifts))


def tilted(count, gap_mm, degrees, size, spacing_mm, axis=0):
    """Grid and slicing of slices turned by a gantry's tilt, following along a patient axis.

    Image planes are turned about x (slices along z or y) or y (along x); positions step by
    ``gap_mm`` along the patient's own axis, as a table moves.
    """
    turned = rotation(degrees, 0, 0) if axis != 2 else rotation(0, degrees, 0)
    step = np.zeros(3)
    step[2 - axis] = gap_mm
    # Along the turned axes, in the order of the array (z, y, x).
    along = (turned.T @ step)[::-1]
    heights = np.arange(count) * along[axis]
    others = [a for a in range(3) if a != axis]
    shifts = (np.arange(count) - (count - 1) / 2)[:, None] * along[others]
    shape, spacing = list(size), list(spacing_mm)
    shape[axis], spacing[axis] = count, along[axis]
    return grid_of(shape, spacing, turned), slicing_of(heights, shifts, axis)


def sample_points(grid, slicing=None):
    """Patient coordinates of every sample of a scan, shape (z, y, x, 3), one axis at a time."""
    places = [np.arange(n) * s for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
    axis = 0 if slicing is None else slicing.axis
    if slicing is not None:
        places[axis] = np.array(slicing.positions_mm)
    mm = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1)
    if slicing is not None:
        others = [a for a in range(3) if a != axis]
        for k, shift in enumerate(slicing.shifts_mm):
            slice_ = np.moveaxis(mm, axis, 0)[k]
            slice_[..., others] += shift
    return mm[..., ::-1] @ np.array(grid.direction).T + grid.origin_mm


def grid_points(grid):
    """Patient coordinates of every voxel of a result, shape (z, y, x, 3)."""
    return sample_points(grid)


def acquisition_mm(volume, points):
    """Patient coordinates along the array axes (z, y, x) of a scan, from its voxel 0."""
    offsets = points - np.array(volume.grid.origin_mm)
    return (offsets @ np.array(volume.grid.direction))[..., ::-1]


def stack_oracle(volume, points, interpolation):
    """Values at patient points, slice after slice: each in its own plane, blended by height."""
    slicing, spacing = volume.slicing, np.array(volume.grid.spacing_mm)
    axis, gap = slicing.axis, volume.grid.spacing_mm[slicing.axis]
    others = [a for a in range(3) if a != axis]
    mm = acquisition_mm(volume, points)
    height, positions = mm[..., axis], np.array(slicing.positions_mm)
    nearest = np.abs(height[..., None] - positions).argmin(axis=-1)
    even = np.allclose(positions, gap * np.arange(len(positions)))
    total, norm = np.zeros(height.shape), np.zeros(height.shape)
    measured = np.zeros(height.shape, dtype=bool)
    for k, shift in enumerate(slicing.shifts_mm):
        alone = np.eye(len(positions))[k]
        if interpolation == "nearest":
            share = (nearest == k).astype(float)
        elif interpolation == "cubic" and even:
            share = map_coordinates(alone, [height.ravel() / gap], order=3, mode="mirror")
            share = share.reshape(height.shape)
        else:
            share = np.interp(height, positions, alone)
        index = np.stack(
            [(mm[..., a] - s) / spacing[a] for a, s in zip(others, shift, strict=True)]
        )
        slice_ = np.take(volume.hu, k, axis=axis).astype(float)
        inside = np.ones(height.shape, dtype=bool)
        for place, n in zip(index, slice_.shape, strict=True):
            inside &= (place >= -0.5) & (place <= n - 0.5)
        mode = "mirror" if interpolation == "cubic" else "nearest"
        value = map_coordinates(
            slice_, index.reshape(2, -1), order=ORDER[interpolation], mode=mode
        ).reshape(height.shape)
        total += np.where(inside, share * value, 0)
        norm += np.where(inside, share, 0)
        measured |= inside & (nearest == k)
    measured &= (height >= positions[0] - gap / 2) & (height <= positions[-1] + gap / 2)
    return np.where(measured, total / np.where(norm == 0, 1, norm), -1024)


def on_a_rim(volume, points, interpolation, margin=1e-4):
    """Points whose rounding decides whether they were measured, or which sample is nearest."""
    slicing, grid = volume.slicing, volume.grid
    mm = acquisition_mm(volume, points)
    axis = 0 if slicing is None else slicing.axis
    positions = sample_points(Grid((grid.shape[0], 1, 1), grid.spacing_mm, (0, 0, 0)))[:, 0, 0, 2]
    shifts = np.zeros((len(positions), 2))
    if slicing is not None:
        positions, shifts = np.array(slicing.positions_mm), np.array(slicing.shifts_mm)
    gap = grid.spacing_mm[axis]
    edges = np.array([positions[0] - gap / 2, positions[-1] + gap / 2])
    if interpolation == "nearest" or shifts.any():
        edges = np.concatenate([edges, (positions[1:] + positions[:-1]) / 2])
    close = (np.abs(mm[..., axis, None] - edges) < margin).any(axis=-1)
    others = [a for a in range(3) if a != axis]
    for k, a in enumerate(others):
        for shift in np.unique(shifts[:, k]):
            half = (mm[..., a] - shift) / grid.spacing_mm[a] + 0.5
            edge = np.rint(half)
            outer = (edge == 0) | (edge == grid.shape[a])
            close |= (np.abs(half - edge) < margin) & (outer | (interpolation == "nearest"))
    return close


def sitk_image(volume):
    image = sitk.GetImageFromArray(volume.hu.astype(np.float32))
    image.SetSpacing(volume.grid.spacing_mm[::-1])
    image.SetOrigin(volume.grid.origin_mm)
    image.SetDirection(np.array(volume.grid.direction).ravel())
    return image


def sitk_onto(volume, grid, interpolation):
    """The scan by SimpleITK on a grid, float32, -1024 outside its box."""
    filter_ = sitk.ResampleImageFilter()
    filter_.SetSize([int(n) for n in grid.shape[::-1]])
    filter_.SetOutputSpacing(grid.spacing_mm[::-1])
    filter_.SetOutputOrigin(grid.origin_mm)
    filter_.SetOutputDirection(np.array(grid.direction).ravel())
    filter_.SetInterpolator(SITK[interpolation])
    filter_.SetDefaultPixelValue(-1024)
    return sitk.GetArrayFromImage(filter_.Execute(sitk_image(volume)))


def triangle_shares(places, x, width, cells=None):
    """Weights of all samples of an axis for one point, written out: triangle, sum, balance."""
    places = np.asarray(places, dtype=float)
    shares = np.array([max(0.0, 1 - abs(p - x) / width) for p in places])
    if cells is not None:
        shares = shares * cells
    shares /= shares.sum()
    if places[0] <= x - width and x + width <= places[-1]:
        # The weights times (a + b offset) that have a sum of one and no first moment.
        moments = [(shares * (places - x) ** k).sum() for k in range(3)]
        a, b = np.linalg.solve(
            [[moments[0], moments[1]], [moments[1], moments[2]]], [0, -moments[1]]
        )
        shares = shares * (1 + a + b * (places - x))
    return shares
