"""Weights of samples along an axis, against formulas written out and scipy in one dimension."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resampling_oracles import triangle_shares
from scipy.ndimage import map_coordinates

from lungprep.image.resampling.axes import Axis, read_axis
from lungprep.image.resampling.kernels import cardinal_spline
from lungprep.image.resampling.taps import (
    coefficient_taps,
    nearest_sample,
    spline_taps,
    taps,
)

UNEVEN = np.array([0, 1.0, 2.2, 3.0, 7.0, 8.0, 9.0, 9.6, 10.8, 12.0, 13.0])


def even_axis(size, step=1.0, interpolation="linear", antialias=True):
    return read_axis(np.arange(size, dtype=float), step, interpolation, antialias)


def weight_matrix(found, size):
    """All weights, one row for each point."""
    matrix = np.zeros((found.indices.shape[1], size))
    for k in range(found.indices.shape[0]):
        for point in range(found.indices.shape[1]):
            matrix[point, found.indices[k, point]] += found.weights[k, point]
    return matrix


@pytest.mark.parametrize("name", ["linear", "cubic"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 30])
def test_plain_kernels_equal_scipy_up_to_half_a_sample_beyond_the_ends(name, size):
    """Linear repeats the border value, the spline mirrors the samples."""
    values = np.random.default_rng(size).normal(size=size)
    points = np.linspace(-0.5, size - 0.5, 97)
    found = taps(even_axis(size, 1.0, name), points)
    order, mode = {"linear": (1, "nearest"), "cubic": (3, "mirror")}[name]
    expected = map_coordinates(values, [points], order=order, mode=mode)
    np.testing.assert_allclose(weight_matrix(found, size) @ values, expected, atol=1e-6)


@given(size=st.integers(1, 40), seed=st.integers(0, 99))
def test_coefficients_and_samples_make_the_same_spline(size, seed):
    axis = even_axis(size, 1.0, "cubic")
    values = np.random.default_rng(seed).normal(size=size)
    points = np.random.default_rng(seed).uniform(-0.5, size - 0.5, 20)
    coefficients = weight_matrix(coefficient_taps(axis, np.arange(size)), size) @ values
    found = weight_matrix(spline_taps(axis, points), size) @ coefficients
    direct = weight_matrix(taps(axis, points), size) @ values
    np.testing.assert_allclose(found, direct, atol=2e-7)


@pytest.mark.parametrize("stretch", [1.3, 1.736, 2.0, 3.5])
def test_widened_coefficients_are_the_documented_kernel(stretch):
    """The spline through the average with eta3(k / stretch), k whole."""
    axis = even_axis(201, stretch, "cubic")
    points = 100 + np.linspace(0, 1, 11)
    found = weight_matrix(spline_taps(axis, points), 201) @ weight_matrix(
        coefficient_taps(axis, np.arange(201)), 201
    )
    average = cardinal_spline(np.arange(-60, 61) / stretch)
    average /= average.sum()
    for point, weights in zip(points, found, strict=True):
        k = np.arange(201)
        expected = sum(
            a * cardinal_spline(k + j - point) for j, a in zip(range(-60, 61), average, strict=True)
        )
        np.testing.assert_allclose(weights, expected, atol=1e-6)


@settings(max_examples=60)
@given(step=st.floats(1.01, 6), x=st.floats(0, 39), size=st.just(40))
def test_widened_triangle_is_the_formula(step, x, size):
    found = weight_matrix(taps(even_axis(size, step), np.array([x])), size)[0]
    np.testing.assert_allclose(found, triangle_shares(np.arange(size), x, step), atol=1e-9)


@settings(max_examples=60)
@given(x=st.floats(-0.5, 13.5), step=st.floats(0.2, 5))
def test_uneven_weights_are_the_formula(x, step):
    found = weight_matrix(taps(read_axis(UNEVEN, step, "linear", True), np.array([x])), 11)[0]
    if step <= 1 + 1e-6:
        expected = [np.interp(x, UNEVEN, row) for row in np.eye(11)]
    else:
        edges = [-0.5, *((UNEVEN[1:] + UNEVEN[:-1]) / 2), 13.5]
        below = min(max(int(np.searchsorted(UNEVEN, x, side="right")) - 1, 0), 9)
        width = max(step, UNEVEN[below + 1] - UNEVEN[below])
        expected = triangle_shares(UNEVEN, x, width, np.diff(edges))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@settings(max_examples=40)
@given(size=st.integers(2, 30), step=st.floats(0.3, 6), part=st.floats(0, 1))
def test_even_places_are_read_alike_by_the_uneven_route(size, step, part):
    places = np.arange(size, dtype=float)
    x = np.array([part * size - 0.5])
    stretch = max(step, 1.0)
    even, uneven = (Axis(places, flag, "linear", stretch) for flag in (True, False))
    np.testing.assert_allclose(
        weight_matrix(taps(even, x), size), weight_matrix(taps(uneven, x), size), atol=1e-9
    )


def test_a_wide_gap_is_bridged_by_its_two_ends():
    """Half-way across a gap of four, and nothing else within reach on either side."""
    places = np.array([0.0, 1, 2, 3, 7, 8, 9, 10])
    found = weight_matrix(taps(Axis(places, False, "linear", 1.2), np.array([5.0])), 8)[0]
    assert found[3] + found[4] > 0.7
    np.testing.assert_allclose(found @ places, 5.0, atol=1e-12)
    plain = weight_matrix(taps(Axis(places, False, "linear", 1.0), np.array([4.0, 6.5])), 8)
    np.testing.assert_allclose(plain[:, 3:5], [[0.75, 0.25], [0.125, 0.875]])


@settings(max_examples=80)
@given(
    step=st.floats(0.2, 6),
    interpolation=st.sampled_from(["linear", "cubic"]),
    antialias=st.booleans(),
    x=st.floats(80, 120),
)
def test_nothing_moves(step, interpolation, antialias, x):
    """The centre of mass of the weights is the point itself.

    Pillow and PyTorch leave it up to 0.05 samples off.
    """
    axis = even_axis(200, step, interpolation, antialias)
    found = taps(axis, np.array([x]))
    assert found.weights.sum() == pytest.approx(1, abs=1e-9)
    assert (found.weights * found.indices).sum() == pytest.approx(x, abs=1e-5)


def test_nearest_takes_the_nearest_and_of_two_the_higher():
    points = np.array([-0.5, 0.499, 0.5, 0.5 - 1e-12, 0.501, 1.5, 2.5, 3.5])
    expected = [0, 0, 1, 1, 1, 2, 3, 3]
    np.testing.assert_array_equal(nearest_sample(even_axis(4), points), expected)
    uneven = Axis(np.array([0.0, 1, 5, 6]), False, "nearest", 1)
    points = np.array([-0.5, 0.5, 2.99, 3.0, 3.01, 5.6, 6.5])
    np.testing.assert_array_equal(nearest_sample(uneven, points), [0, 1, 1, 2, 2, 3, 3])


@given(x=st.floats(-0.5, 13.5))
def test_nearest_on_uneven_places_is_the_least_distance(x):
    found = nearest_sample(read_axis(UNEVEN, 1, "nearest", False), np.array([x]))[0]
    assert np.abs(UNEVEN[found] - x) <= np.abs(UNEVEN - x).min() + 3e-6
