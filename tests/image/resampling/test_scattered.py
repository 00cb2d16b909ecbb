"""Turned and shifted slices, against SimpleITK and a slice-by-slice evaluation in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resampling_oracles import (
    grid_of,
    grid_points,
    on_a_rim,
    random_volume,
    rotation,
    sitk_onto,
    slicing_of,
    stack_oracle,
    tilted,
    triangle_shares,
)

from lungprep.image.resampling import resample
from lungprep.image.volume import IDENTITY, Volume

NAMES = ["linear", "cubic", "nearest"]
# Thousandths: SimpleITK can't invert a rotation by 1e-300 degrees.
ANGLES = st.tuples(*[st.integers(-25_000, 25_000).map(lambda n: n / 1000)] * 3)
SPACINGS = st.tuples(*[st.floats(0.5, 2.5)] * 3)


def noise(grid, slicing, seed=0):
    hu = np.random.default_rng(seed).integers(0, 900, grid.shape).astype(np.int16)
    return Volume(hu, grid, slicing)


def assert_equal(out, expected, clear):
    """Within rounding wherever rounding of places decides nothing; and some of it was measured."""
    found = out.hu.astype(float)
    assert (found != -1024).any()
    np.testing.assert_array_equal(found[clear] == -1024, expected[clear] <= -1023.9)
    assert np.abs(found - np.clip(expected, -1024, 3071))[clear].max(initial=0) <= 0.51


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(
    angles=ANGLES,
    shape=st.tuples(*[st.integers(5, 14)] * 3),
    old=SPACINGS,
    new=SPACINGS,
    seed=st.integers(0, 99),
)
def test_oblique_scans_equal_simpleitk(name, angles, shape, old, new, seed):
    volume = random_volume(shape, old, rotation(*angles), seed=seed)
    out = resample(volume, new, interpolation=name, antialias=False)
    assert out.grid.spacing_mm == new
    assert out.grid.direction == (IDENTITY if volume.grid.is_oblique else volume.grid.direction)
    points = grid_points(out.grid)
    expected = sitk_onto(volume, out.grid, name)
    assert_equal(out, expected, ~on_a_rim(volume, points, name))


@pytest.mark.parametrize(
    "angles", [(18.5, 0, 0), (0, 11, 0), (0, 0, -9), (44, 0, 0)], ids=["x", "y", "z", "steep"]
)
@pytest.mark.parametrize("name", NAMES)
def test_scans_turned_about_one_axis_equal_simpleitk(angles, name):
    """One axis of the scan then runs along the result's, and is read by a matrix product."""
    volume = random_volume((21, 19, 23), (1.9, 1.1, 0.8), rotation(*angles))
    out = resample(volume, (1.0, 0.9, 1.2), interpolation=name, antialias=False)
    expected = sitk_onto(volume, out.grid, name)
    assert_equal(out, expected, ~on_a_rim(volume, grid_points(out.grid), name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("degrees", [18.5, -24.0])
def test_tilted_stacks_equal_the_slice_by_slice_evaluation(name, axis, degrees):
    volume = noise(*tilted(14, 2.5, degrees, (20, 18, 16), (1.1, 1.2, 0.9), axis))
    out = resample(volume, (1.0, 1.0, 1.0), interpolation=name, antialias=False)
    assert out.grid.direction == IDENTITY
    points = grid_points(out.grid)
    assert_equal(out, stack_oracle(volume, points, name), ~on_a_rim(volume, points, name))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("even", [True, False])
def test_jittered_slices_equal_the_slice_by_slice_evaluation(name, axis, turned, even):
    rng = np.random.default_rng(axis)
    shape, spacing = [13, 14, 15], [1.1, 1.2, 0.9]
    shape[axis], spacing[axis] = 9, 2.0
    gaps = np.full(8, 2.0) if even else rng.choice([2.0, 2.0, 1.3, 6.0], 8)
    slicing = slicing_of([0, *np.cumsum(gaps)], rng.uniform(-3, 3, (9, 2)), axis)
    direction = rotation(6, -4, 9) if turned else IDENTITY
    volume = noise(grid_of(shape, spacing, direction), slicing)
    out = resample(volume, (1.0, 0.9, 1.1), interpolation=name, antialias=False)
    assert out.grid.direction == IDENTITY
    points = grid_points(out.grid)
    assert_equal(out, stack_oracle(volume, points, name), ~on_a_rim(volume, points, name))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_uneven_oblique_slices_equal_the_slice_by_slice_evaluation(axis, name):
    shape, spacing = [13, 14, 15], [1.1, 1.2, 0.9]
    shape[axis], spacing[axis] = 6, 2.0
    volume = noise(
        grid_of(shape, spacing, rotation(0, 7, -12)), slicing_of([0, 2, 4, 9, 10, 12], axis=axis)
    )
    out = resample(volume, (1.0, 1.0, 1.0), interpolation=name, antialias=False)
    points = grid_points(out.grid)
    assert_equal(out, stack_oracle(volume, points, name), ~on_a_rim(volume, points, name))


def test_a_slice_aside_ends_at_its_own_rim():
    """Two slices, one 3 pixels aside: each value by hand."""
    hu = np.stack([np.full((1, 4), 100), np.full((1, 4), 500)]).astype(np.int16)
    slicing = slicing_of([0, 2], [(0, 0), (0, 3)])
    out = resample(Volume(hu, grid_of((2, 1, 4), (2, 1, 1)), slicing), (0.5, 1, 1))
    assert out.grid.shape == (8, 1, 7)
    # Heights -0.75 ... 2.75. Only the lower slice reaches columns 0 to 2, only the upper 4 to 6.
    lower, upper = [100] * 4 + [-1024] * 4, [-1024] * 4 + [500] * 4
    both = [100, 100, 150, 250, 350, 450, 500, 500]
    np.testing.assert_array_equal(out.hu[:, 0].T, [lower] * 3 + [both] + [upper] * 3)


def shares_of(volume, axis, place, width):
    """Weights of all samples of an axis, in samples, for one point within it."""
    n, gap = volume.grid.shape[axis], volume.grid.spacing_mm[axis]
    if volume.slicing is None or volume.slicing.axis != axis:
        return triangle_shares(np.arange(n), place, max(width, 1))
    places = np.array(volume.slicing.positions_mm) / gap
    if width <= 1:
        return np.array([np.interp(place, places, row) for row in np.eye(n)])
    edges = [-0.5, *((places[1:] + places[:-1]) / 2), places[-1] + 0.5]
    below = min(max(int((places <= place).sum()) - 1, 0), n - 2)
    local = places[below + 1] - places[below]
    cells = None if np.allclose(np.diff(places), 1) else np.diff(edges)
    return triangle_shares(places, place, max(width, local if cells is not None else 1), cells)


@pytest.mark.parametrize(
    ("slicing", "direction"),
    [
        (None, rotation(8, -5, 13)),
        (None, rotation(18.5, 0, 0)),
        (slicing_of(np.cumsum([0, 1, 1, 2, 1, 1, 4, 1, 1, 1, 1, 1])), rotation(8, -5, 13)),
        (slicing_of(np.arange(12), np.linspace(-2, 2, 24).reshape(12, 2)), IDENTITY),
    ],
    ids=["oblique", "about x", "uneven oblique", "shifted"],
)
def test_widened_kernels_follow_the_obliquity(slicing, direction):
    """Width along axis a of the scan: the new voxel's edges, projected on it and squared, added."""
    volume = noise(grid_of((12, 24, 24), (1.0, 0.6, 0.7), direction), slicing)
    new = np.array([1.8, 1.5, 1.3])
    out = resample(volume, tuple(new))
    points = grid_points(out.grid)
    edges = np.array(out.grid.direction) * new[::-1]
    along = (np.array(volume.grid.direction).T @ edges)[::-1]
    spacing = np.array(volume.grid.spacing_mm)
    widths = np.sqrt((along**2).sum(axis=1)) / spacing
    shifts = np.zeros((12, 2)) if slicing is None else np.array(slicing.shifts_mm)
    mm = (points - np.array(volume.grid.origin_mm)) @ np.array(volume.grid.direction)
    index = mm[..., ::-1] / spacing
    limit = 11 if slicing is None else slicing.positions_mm[-1]
    inside = ((index >= 2.5) & (index <= [limit - 2.5, 20.5, 20.5])).all(axis=-1)
    chosen = np.argwhere(inside)[:: max(1, inside.sum() // 60)]
    assert len(chosen) >= 20
    for where in chosen:
        z, y, x = index[tuple(where)]
        shares, expected = shares_of(volume, 0, z, widths[0]), 0.0
        for k in np.flatnonzero(shares):
            along_y = shares_of(volume, 1, y - shifts[k, 0] / spacing[1], widths[1])
            along_x = shares_of(volume, 2, x - shifts[k, 1] / spacing[2], widths[2])
            expected += shares[k] * (along_y @ volume.hu[k] @ along_x)
        assert abs(out.hu[tuple(where)] - expected) <= 0.51
