"""Resampling, against slow evaluations in float64 that share none of its code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates

from lungprep.errors import GridTooLarge
from lungprep.resampling import banded_weights, resample, target_grid
from lungprep.volume import Grid, Volume

SPACINGS = st.floats(0.3, 4.0)
SIZES = st.integers(1, 14)


def volume_of(hu, spacing_mm, origin_mm=(10.0, -20.0, 30.0)):
    return Volume(hu, Grid(hu.shape, spacing_mm, origin_mm))


def random_volume(shape, spacing_mm, seed=0):
    rng = np.random.default_rng(seed)
    return volume_of(rng.integers(-1024, 3072, shape).astype(np.int16), spacing_mm)


def trilinear(volume, point_xyz):
    """Value at a physical point from its eight neighbours, one by one, border repeated."""
    inverse = np.linalg.inv(volume.grid.affine)
    index = (inverse @ [*point_xyz, 1.0])[2::-1]
    total = 0.0
    for corner in np.ndindex(2, 2, 2):
        weight, where = 1.0, []
        for axis in range(3):
            base = int(np.floor(index[axis]))
            part = index[axis] - base
            weight *= part if corner[axis] else 1 - part
            where.append(min(max(base + corner[axis], 0), volume.grid.shape[axis] - 1))
        total += weight * float(volume.hu[tuple(where)])
    return total


@settings(max_examples=40)
@given(
    shape=st.tuples(SIZES, SIZES, SIZES),
    old=st.tuples(SPACINGS, SPACINGS, SPACINGS),
    new=st.tuples(SPACINGS, SPACINGS, SPACINGS),
    seed=st.integers(0, 99),
)
def test_linear_equals_eight_neighbours_through_the_affine(shape, old, new, seed):
    volume = random_volume(shape, old, seed)
    out = resample(volume, new, antialias=False)
    assert out.hu.dtype == np.int16
    assert out.hu.shape == out.grid.shape
    rng = np.random.default_rng(seed)
    for _ in range(20):
        index = tuple(int(rng.integers(n)) for n in out.grid.shape)
        assert abs(out.hu[index] - trilinear(volume, out.grid.position_mm(index))) <= 0.51


@pytest.mark.parametrize(
    ("interpolation", "filter_"), [("linear", "BILINEAR"), ("cubic", "BICUBIC")]
)
@pytest.mark.parametrize("new", [0.75, 1.0, 2.0, 3.0, 6.0])
def test_antialias_equals_pillow(interpolation, filter_, new):
    """Pillow's filters are defined alike: the kernel widened to the output spacing, cut off at
    the border and scaled to one. At whole ratios its samples lie evenly, and need no balancing."""
    volume = random_volume((1, 60, 60), (1.0, 1.0, 1.0))
    size = round(60 / new)
    spacing = 60 / size
    out = resample(volume, (1.0, spacing, spacing), interpolation=interpolation)
    image = Image.fromarray(volume.hu[0].astype(np.float32))
    expected = np.asarray(image.resize((size, size), getattr(Image.Resampling, filter_)))
    expected = np.clip(expected, -1024, 3071)
    assert np.abs(out.hu[0] - expected).max() <= 0.51


def test_cubic_equals_keys_convolution():
    """Keys (1981), a = -1/2, summed tap by tap; away from the border."""
    volume = random_volume((20, 1, 1), (1.0, 1.0, 1.0))
    out = resample(volume, (0.4, 1.0, 1.0), interpolation="cubic")
    line = volume.hu[:, 0, 0].astype(float)
    for k in range(out.grid.shape[0]):
        z = out.grid.position_mm((k, 0, 0))[2] - volume.grid.origin_mm[2]
        base = int(np.floor(z))
        if not 1 <= base <= 16:
            continue
        total = 0.0
        for tap in range(base - 1, base + 3):
            x = abs(z - tap)
            near = 1.5 * x**3 - 2.5 * x**2 + 1
            far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            total += line[tap] * (near if x < 1 else far)
        assert abs(out.hu[k, 0, 0] - np.clip(total, -1024, 3071)) <= 0.51


def test_nearest_takes_values_of_the_scan():
    volume = random_volume((9, 8, 7), (2.0, 1.3, 0.9))
    out = resample(volume, (1.0, 1.0, 1.0), interpolation="nearest")
    indices = np.indices(out.grid.shape).reshape(3, -1)
    points = out.grid.affine @ np.vstack([indices[::-1], np.ones(indices.shape[1])])
    back = (np.linalg.inv(volume.grid.affine) @ points)[2::-1]
    # Centres half-way between two voxels may take either.
    clear = (np.abs(back - np.floor(back) - 0.5) > 1e-6).all(axis=0)
    expected = map_coordinates(volume.hu, back, order=0, mode="nearest")
    assert clear.sum() > 100
    np.testing.assert_array_equal(out.hu.ravel()[clear], expected[clear])


@settings(max_examples=60)
@given(
    old=SPACINGS,
    new=SPACINGS,
    interpolation=st.sampled_from(["linear", "cubic"]),
    antialias=st.booleans(),
)
def test_nothing_moves(old, new, interpolation, antialias):
    """The centre of mass of each voxel's weights is its position, to 0.001 mm, within the scan.

    The tutorial's zoom pins end voxels and drifts by up to 1.5 mm over 100 slices of 2.5 mm;
    Pillow's kernel is up to 0.05 mm off.
    """
    n, m = 200, max(1, round(200 * old / new))
    for block in banded_weights(n, old, m, new, interpolation, antialias):
        inputs = np.arange(block.columns.start, block.columns.stop) - (n - 1) / 2
        outputs = np.arange(block.rows.start, block.rows.stop) - (m - 1) / 2
        found = block.weights.astype(np.float64) @ inputs * old
        reach = 2 * max(old, new)
        inside = np.abs(outputs * new) < (n - 1) / 2 * old - reach
        assert np.abs(found - outputs * new)[inside].max(initial=0) < 1e-3
        np.testing.assert_allclose(block.weights.sum(axis=1), 1, atol=1e-5)


@given(
    n=st.tuples(*[st.integers(1, 600)] * 3),
    old=st.tuples(SPACINGS, SPACINGS, SPACINGS),
    new=st.tuples(SPACINGS, SPACINGS, SPACINGS),
)
def test_target_grid_fills_the_same_box(n, old, new):
    grid = Grid(n, old, (1.0, 2.0, 3.0))
    out = target_grid(grid, new)
    assert out.spacing_mm == new
    centre, same = (
        np.array(g.position_mm(tuple((np.array(g.shape) - 1) / 2))) for g in (grid, out)
    )
    np.testing.assert_allclose(centre, same, atol=1e-9)
    excess = np.abs(np.array(out.shape) * new - np.array(n) * old)
    assert ((excess <= np.array(new) / 2 + 1e-9) | (np.array(out.shape) == 1)).all()


def test_direction_is_kept():
    direction = (
        (1.0, 0.0, 0.0),
        (0.0, 0.9950041652780258, -0.09983341664682815),
        (0.0, 0.09983341664682815, 0.9950041652780258),
    )
    volume = Volume(
        np.zeros((10, 10, 10), np.int16), Grid((10, 10, 10), (2, 1, 1), (0, 0, 0), direction)
    )
    out = resample(volume, (1.0, 1.0, 1.0))
    assert out.grid.direction == direction
    middle = volume.grid.position_mm((4.5, 4.5, 4.5))
    np.testing.assert_allclose(out.grid.position_mm((9.5, 4.5, 4.5)), middle, atol=1e-9)


def test_a_grid_beyond_memory_is_refused_by_name():
    volume = random_volume((40, 50, 50), (2.0, 1.0, 1.0))
    words = r"a grid of 0\.001 x 0\.01 x 0\.01 mm would have 80000 x 5000 x 5000 voxels; choose a"
    with pytest.raises(GridTooLarge, match=words):
        resample(volume, (0.001, 0.01, 0.01))
