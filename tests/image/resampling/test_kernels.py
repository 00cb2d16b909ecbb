"""Kernels, against scipy's splines and sums written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline
from scipy.ndimage import map_coordinates

from lungprep.image.resampling.kernels import (
    CARDINAL_HALF_WIDTH,
    balanced,
    cardinal_spline,
    cubic_bspline,
    normalised,
    spline_filter,
    triangle,
)

X = np.linspace(-5, 5, 1001)


def test_triangle_is_linear_interpolation_of_an_impulse():
    np.testing.assert_allclose(triangle(X), np.interp(X, [-1, 0, 1], [0, 1, 0]), atol=1e-15)


def test_cubic_bspline_is_scipys():
    expected = np.nan_to_num(BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)(X))
    np.testing.assert_allclose(cubic_bspline(X), expected, atol=1e-15)


def test_spline_filter_undoes_the_samples_of_the_spline():
    response = spline_filter(np.arange(-30, 31))
    samples = np.convolve(response, [1 / 6, 4 / 6, 1 / 6])
    np.testing.assert_allclose(samples, np.eye(63)[31], atol=1e-15)


def test_cardinal_spline_is_scipys_interpolation_of_an_impulse():
    impulse = np.eye(101)[50]
    x = np.linspace(-20, 20, 4001)
    expected = map_coordinates(impulse, [x + 50], order=3, mode="mirror")
    np.testing.assert_allclose(cardinal_spline(x), expected, atol=3e-8)


def test_cardinal_spline_passes_through_the_samples():
    whole = np.arange(-20.0, 21)
    np.testing.assert_allclose(cardinal_spline(whole), whole == 0, atol=1e-15)


def test_what_the_cut_leaves_out_float32_can_not_show():
    """All samples beyond the cut, at 4095 HU with the worst signs, against the step at 4000 HU."""
    worst = 0.0
    for fraction in np.linspace(0, 1, 101):
        beyond = np.arange(CARDINAL_HALF_WIDTH, CARDINAL_HALF_WIDTH + 40) + fraction
        taps = beyond[:, None] + np.arange(-60, 61)
        exact = (spline_filter(np.arange(-60, 61)) * cubic_bspline(taps)).sum(axis=1)
        worst = max(worst, 2 * np.abs(exact).sum())
    assert 0 < worst * 4095 < np.spacing(np.float32(4000))
    assert (cardinal_spline(np.array([-13.0, 13.0, 13.5, -40.2])) == 0).all()


@given(
    weights=st.lists(st.floats(0.01, 1), min_size=2, max_size=9),
    start=st.floats(-4, 0.5),
    negative=st.booleans(),
)
def test_balanced_weights_have_a_sum_of_one_and_no_first_moment(weights, start, negative):
    shares = np.array(weights)[:, None]
    if negative:
        shares[0] = -shares[0] / 10
    offsets = start + np.arange(len(weights), dtype=float)[:, None]
    found = balanced(normalised(shares), offsets)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert (found * offsets).sum() == pytest.approx(0, abs=1e-9)


def test_balance_leaves_what_is_balanced_and_a_single_sample():
    even = np.array([[0.25], [0.5], [0.25]])
    np.testing.assert_array_equal(balanced(even, np.array([[-1.0], [0], [1]])), even)
    np.testing.assert_array_equal(balanced(np.array([[1.0]]), np.array([[0.3]])), [[1.0]])
