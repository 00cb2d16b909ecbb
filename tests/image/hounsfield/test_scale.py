"""Stored values to HU, against the rescale formula evaluated in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungprep.image.hounsfield.scale import HU_MAX, HU_MIN, is_padding, saturated, to_hu

SIGNED = arrays(np.int16, 64, elements=st.integers(-32768, 32767))
UNSIGNED = arrays(np.uint16, 64, elements=st.integers(0, 65535))
INTERCEPTS = st.one_of(
    st.integers(-40000, 40000).map(float), st.floats(-3000, 3000, allow_nan=False)
)
SLOPES = st.one_of(st.just(1.0), st.floats(0.01, 20))


def exact(value, slope, intercept):
    """Python's round on a Fraction rounds half to even, as rint does."""
    return round(Fraction(np.float64(value) * np.float64(slope) + np.float64(intercept)))


def oracle(stored, slope, intercept):
    """One pixel at a time."""
    values = (exact(value, slope, intercept) for value in stored.tolist())
    return np.array([min(max(value, HU_MIN), HU_MAX) for value in values])


@given(stored=SIGNED | UNSIGNED, slope=SLOPES, intercept=INTERCEPTS)
def test_rescale_equals_exact_arithmetic(stored, slope, intercept):
    hu = to_hu(stored, slope, intercept)
    assert hu.dtype == np.int16
    np.testing.assert_array_equal(hu, oracle(stored, slope, intercept))


@given(
    stored=SIGNED | UNSIGNED,
    ends=st.tuples(st.integers(-32768, 65535), st.integers(-32768, 65535)),
)
def test_padding_is_compared_with_stored_values(stored, ends):
    if stored.dtype == np.int16:
        low, high = sorted((end + 32768) % 65536 - 32768 for end in ends)
    else:
        low, high = sorted(end % 65536 for end in ends)
    expected = [low <= value <= high for value in stored.tolist()]
    assert is_padding(stored, *ends).tolist() == expected


def test_padding_never_becomes_water():
    """The tutorial set -2000 to 0 before the intercept: with intercept 0 that is 0 HU."""
    stored = np.array([-2000, 0, 40], dtype=np.int16)
    assert to_hu(stored, 1, 0, stored == -2000).tolist() == [-1024, 0, 40]


def test_padding_tag_of_the_other_sign_is_understood():
    stored = np.array([63536, 1024], dtype=np.uint16)
    assert is_padding(stored, -2000, -2000).tolist() == [True, False]


@given(
    stored=SIGNED | UNSIGNED,
    slope=SLOPES,
    intercept=INTERCEPTS,
    padding=arrays(np.bool_, 64),
)
def test_saturated_pixels_are_counted(stored, slope, intercept, padding):
    beyond = [
        not pad and not -32768 <= exact(value, slope, intercept) <= 32767
        for value, pad in zip(stored.tolist(), padding.tolist(), strict=True)
    ]
    assert saturated(stored, slope, intercept, padding) == sum(beyond)


@pytest.mark.parametrize("slope", [1e300, -1e300])
def test_a_slope_beyond_reason_saturates_and_does_not_wrap(slope):
    stored = np.array([[-5, 0, 5]], dtype=np.int16)
    expected = [HU_MIN, 0, HU_MAX] if slope > 0 else [HU_MAX, 0, HU_MIN]
    assert to_hu(stored, slope, 0.0).tolist() == [expected]
    assert saturated(stored, slope, 0.0) == 2


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_input_is_left_alone(dtype):
    stored = np.arange(100, dtype=dtype)
    stored.flags.writeable = False
    to_hu(stored, 1, -1024, is_padding(stored, 5, 5))
    saturated(stored, 100, -1024)
    assert stored.tolist() == list(range(100))
