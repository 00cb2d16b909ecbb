"""Resampling along the axes of a scan, against scipy, SimpleITK and Pillow."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from resampling_oracles import (
    ORDER,
    grid_of,
    grid_points,
    on_a_rim,
    random_volume,
    sample_points,
    sitk_onto,
    slicing_of,
)
from scipy.ndimage import map_coordinates, zoom

from lungprep.image.resampling import resample
from lungprep.image.resampling.kernels import cardinal_spline
from lungprep.image.volume import Volume

SPACINGS = st.floats(0.3, 4.0)
TRIPLES = st.tuples(SPACINGS, SPACINGS, SPACINGS)
NAMES = ["linear", "cubic", "nearest"]


def sizes(least):
    return st.tuples(*[st.integers(least, 14)] * 3)


def difference(out, expected):
    return np.abs(out.hu - np.clip(expected, -1024, 3071))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(shape=sizes(1), old=TRIPLES, new=TRIPLES, seed=st.integers(0, 99))
def test_equals_scipy_through_the_affine(name, shape, old, new, seed):
    volume = random_volume(shape, old, seed=seed)
    out = resample(volume, new, interpolation=name, antialias=False)
    assert out.hu.dtype == np.int16
    assert out.hu.shape == out.grid.shape
    points = grid_points(out.grid)
    index = (points - np.array(volume.grid.origin_mm))[..., ::-1] / old
    expected = map_coordinates(
        volume.hu.astype(float),
        np.moveaxis(index, -1, 0),
        order=ORDER[name],
        mode="mirror" if name == "cubic" else "nearest",
    )
    clear = ~on_a_rim(volume, points, name)
    assert difference(out, expected)[clear].max(initial=0) <= 0.51


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(shape=sizes(5), old=TRIPLES, new=TRIPLES, seed=st.integers(0, 99))
def test_equals_simpleitk_on_the_same_grid(name, shape, old, new, seed):
    volume = random_volume(shape, old, seed=seed)
    out = resample(volume, new, interpolation=name, antialias=False)
    expected = sitk_onto(volume, out.grid, name)
    clear = ~on_a_rim(volume, grid_points(out.grid), name)
    assert difference(out, expected)[clear].max(initial=0) <= 0.51


@pytest.mark.parametrize(("name", "order"), [("linear", 1), ("cubic", 3)])
@pytest.mark.parametrize("size", [(7, 30, 12), (40, 11, 25), (13, 22, 18)])
def test_equals_scipys_zoom_of_the_same_box(name, order, size):
    volume = random_volume((13, 22, 18), (2.0, 0.7, 1.1))
    new = tuple(n * s / m for n, s, m in zip((13, 22, 18), (2.0, 0.7, 1.1), size, strict=True))
    out = resample(volume, new, interpolation=name, antialias=False)
    factors = [m / n for m, n in zip(size, (13, 22, 18), strict=True)]
    mode = "mirror" if name == "cubic" else "nearest"
    expected = zoom(volume.hu.astype(float), factors, order=order, mode=mode, grid_mode=True)
    assert difference(out, expected).max() <= 0.51


@pytest.mark.parametrize("new", [0.75, 1.0, 2.0, 3.0, 6.0])
def test_antialias_equals_pillow(new):
    """Pillow's filter is defined alike: the triangle widened to the output spacing, cut off at the
    border and scaled to one. At whole ratios its samples lie evenly, and need no balancing."""
    volume = random_volume((1, 60, 60), (1.0, 1.0, 1.0))
    size = round(60 / new)
    spacing = 60 / size
    out = resample(volume, (1.0, spacing, spacing))
    image = Image.fromarray(volume.hu[0].astype(np.float32))
    expected = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    assert difference(out, expected[None]).max() <= 0.51


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("antialias", [True, False])
def test_the_same_spacing_gives_the_same_voxels(name, antialias):
    rng = np.random.default_rng(3)
    hu = rng.integers(-1024, 3072, (21, 34, 55)).astype(np.int16)
    volume = Volume(hu, grid_of(hu.shape, (1.25, 0.576172, 0.661)))
    out = resample(volume, volume.grid.spacing_mm, interpolation=name, antialias=antialias)
    np.testing.assert_array_equal(out.hu, hu)


@pytest.mark.parametrize("name", NAMES)
@given(old=TRIPLES, new=TRIPLES, antialias=st.booleans(), value=st.integers(-1024, 3071))
@settings(max_examples=20, deadline=None)
def test_a_constant_stays(name, old, new, antialias, value):
    hu = np.full((9, 8, 7), value, dtype=np.int16)
    out = resample(Volume(hu, grid_of(hu.shape, old)), new, interpolation=name, antialias=antialias)
    assert (out.hu == value).all()


@pytest.mark.parametrize(
    "positions", [2 * np.arange(10), np.cumsum([0, 2, 2, 3, 2, 1, 5, 2, 2, 2])]
)
@pytest.mark.parametrize("new", [(1.0, 1.0, 1.0), (0.4, 2.3, 1.7), (2.7, 0.6, 1.1)])
def test_a_ramp_stays_where_it_is(positions, new):
    """10 to 20 HU per mm along each axis: half a voxel, a flip or a step aside shows."""
    grid = grid_of((10, 20, 20), (2.0, 1.0, 1.0), origin_mm=(0, 0, 0))
    slope = [11, -10, 20]
    slicing = slicing_of(positions)
    hu = (sample_points(grid, slicing) @ slope + 100).astype(np.int16)
    out = resample(Volume(hu, grid, slicing), new)
    points = grid_points(out.grid)
    # Where the widest kernel, or the widest gap, fits in.
    reach = np.maximum(new[::-1], [1, 1, np.diff(positions).max()])
    inside = ((points >= reach) & (points <= [19, 19, positions[-1]] - reach)).all(axis=-1)
    assert inside.sum() > 300
    assert np.abs(out.hu - (points @ slope + 100))[inside].max() <= 0.51


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("new", [0.4, 1.0, 1.7])
def test_the_spline_keeps_a_ramp(axis, new):
    """Away from the ends, at which the samples are mirrored."""
    shape, spacing = [3, 3, 3], [1.0, 1.0, 1.0]
    shape[axis], spacing[axis] = 80, new
    volume = Volume(
        (np.indices(shape)[axis] * 30).astype(np.int16),
        grid_of(shape, (1, 1, 1), origin_mm=(0,) * 3),
    )
    out = resample(volume, tuple(spacing), interpolation="cubic")
    place = grid_points(out.grid)[..., 2 - axis]
    inside = np.abs(place - 39.5) < 39.5 - 13 * max(new, 1)
    assert inside.sum() > 150
    assert np.abs(out.hu - 30 * place)[inside].max() <= 0.51


def test_impulse_response_is_the_kernel():
    """Each voxel of a finer grid around one sample of 3000 HU, by the documented formula."""
    for name, kernel in (
        ("linear", lambda x: np.maximum(0, 1 - np.abs(x))),
        ("cubic", cardinal_spline),
    ):
        hu = np.zeros((1, 1, 41), dtype=np.int16)
        hu[0, 0, 17] = 3000
        out = resample(Volume(hu, grid_of(hu.shape, (1, 1, 1))), (1, 1, 0.3), interpolation=name)
        x = grid_points(out.grid)[0, 0, :, 0] - 10.0
        np.testing.assert_allclose(out.hu[0, 0], 3000 * kernel(x - 17), atol=0.51)


def test_widened_impulse_response_is_the_widened_kernel():
    """At twice the spacing samples lie evenly about each voxel, and the balance changes nothing."""
    for name, kernel in (
        ("linear", lambda x: np.maximum(0, 1 - np.abs(x))),
        ("cubic", cardinal_spline),
    ):
        hu = np.zeros((1, 1, 120), dtype=np.int16)
        hu[0, 0, 57] = 3000
        out = resample(Volume(hu, grid_of(hu.shape, (1, 1, 1))), (1, 1, 2.0), interpolation=name)
        x = grid_points(out.grid)[0, 0, :, 0] - 10.0
        whole = [kernel((np.arange(-300, 300) - 0.5) / 2).sum()] * len(x)
        expected = 3000 * kernel((x - 57) / 2) / whole
        np.testing.assert_allclose(out.hu[0, 0], expected, atol=0.51)


def test_there_and_back():
    """A smooth field survives a finer grid: at twice the resolution its own voxels come back."""
    z, y, x = np.indices((24, 24, 24))
    field = 800 * np.sin(z / 3) * np.cos(y / 4) * np.sin(x / 5 + 1)
    volume = Volume(np.rint(field).astype(np.int16), grid_of(field.shape, (2.0, 1.5, 1.5)))
    for name, tolerance in (("linear", 45), ("cubic", 3)):
        finer = resample(volume, (1.0, 0.5, 0.5), interpolation=name)
        back = resample(finer, (2.0, 1.5, 1.5), interpolation=name, antialias=False)
        assert back.grid.shape == volume.grid.shape
        np.testing.assert_allclose(back.grid.origin_mm, volume.grid.origin_mm, atol=1e-9)
        away = (slice(4, -4),) * 3
        assert np.abs(back.hu - volume.hu)[away].max() <= tolerance


def test_half_way_between_two_voxels_nearest_takes_the_higher_index():
    hu = np.arange(12, dtype=np.int16).reshape(1, 1, 12)
    out = resample(Volume(hu, grid_of(hu.shape, (1, 1, 1))), (1, 1, 2), interpolation="nearest")
    np.testing.assert_array_equal(out.hu[0, 0], [1, 3, 5, 7, 9, 11])


def test_the_direction_is_kept_where_it_is_straight_but_for_rounding():
    small = 2e-4
    direction = ((1.0, 0.0, 0.0), (0.0, 1.0, -small), (0.0, small, 1.0))
    volume = Volume(np.zeros((10, 10, 10), np.int16), grid_of((10, 10, 10), (2, 1, 1), direction))
    out = resample(volume, (1.0, 1.0, 1.0))
    assert out.grid.direction == direction
    middle = volume.grid.position_mm((4.5, 4.5, 4.5))
    np.testing.assert_allclose(out.grid.position_mm((9.5, 4.5, 4.5)), middle, atol=1e-9)


def test_overshoot_is_clipped():
    hu = np.full((4, 4, 40), 3071, dtype=np.int16)
    hu[..., :20] = -1024
    out = resample(Volume(hu, grid_of(hu.shape, (1, 1, 1))), (1, 1, 0.3), interpolation="cubic")
    assert (out.hu.min(), out.hu.max()) == (-1024, 3071)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_uneven_slices_are_read_at_their_true_places(axis, name):
    """One dimension at a time by numpy; cubic is linear along the slices alone."""
    positions = np.array([0, 1.5, 3.0, 4.2, 9.0, 10.5, 11.9, 13.5])
    shape = [6, 6, 6]
    shape[axis] = 8
    spacing = [1.0, 1.0, 1.0]
    spacing[axis] = 1.5
    volume = random_volume(shape, spacing, slicing=slicing_of(positions, axis=axis))
    new = [1.0, 1.0, 1.0]
    new[axis] = 0.7
    out = resample(volume, tuple(new), interpolation=name)
    places = grid_points(out.grid)[tuple(slice(None) if a == axis else 0 for a in range(3))]
    places = places[:, 2 - axis] - volume.grid.origin_mm[2 - axis]
    # From -0.75 to 14.25 mm: 21 voxels of 0.7 mm about the middle.
    np.testing.assert_allclose(places, 6.75 + 0.7 * (np.arange(21) - 10), atol=1e-9)
    slices = np.moveaxis(volume.hu, axis, 0).reshape(8, -1)
    if name == "nearest":
        expected = slices[np.abs(places[:, None] - positions).argmin(axis=1)]
    else:
        columns = [np.interp(places, positions, column) for column in slices.T]
        expected = np.stack(columns, axis=1)
    found = np.moveaxis(out.hu, axis, 0).reshape(21, -1)
    assert np.abs(found - expected).max() <= 0.51


def peak_beyond_the_result(volume, name):
    tracemalloc.start()
    out = resample(volume, (1.0, 1.0, 1.0), interpolation=name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - out.hu.nbytes


@pytest.mark.parametrize("name", ["linear", "cubic"])
def test_memory_holds_the_result_and_a_slab_whatever_the_number_of_slices(name):
    """A slab is 32 new slices and the old ones behind them, in float32, twice over."""
    short, tall = (
        peak_beyond_the_result(random_volume((n, 96, 96), (1.25, 1.0, 1.0)), name)
        for n in (60, 240)
    )
    slab = (32 + 32 / 1.25 + 2 * 13 + 3) * 96 * 96 * 4
    assert short < 1.5 * slab
    assert tall < 1.5 * slab
    assert tall < 1.05 * short
