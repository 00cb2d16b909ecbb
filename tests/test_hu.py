"""Stored values to HU, against the rescale formula evaluated in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungprep.hu import HU_MAX, HU_MIN, to_hu

SIGNED = arrays(np.int16, 64, elements=st.integers(-32768, 32767))
UNSIGNED = arrays(np.uint16, 64, elements=st.integers(0, 65535))
INTERCEPTS = st.one_of(
    st.integers(-40000, 40000).map(float), st.floats(-3000, 3000, allow_nan=False)
)
SLOPES = st.one_of(st.just(1.0), st.floats(0.01, 20))


def oracle(stored, slope, intercept, padding=None):
    """One pixel at a time; Python's round on a Fraction rounds half to even, as rint does."""
    bits = 65536
    out = []
    for value in stored.tolist():
        if padding is not None:
            signed = stored.dtype == np.int16
            low, high = sorted(
                (p + bits // 2) % bits - bits // 2 if signed else p % bits for p in padding
            )
            if low <= value <= high:
                out.append(HU_MIN)
                continue
        exact = Fraction(np.float64(value) * np.float64(slope) + np.float64(intercept))
        out.append(min(max(round(exact), HU_MIN), HU_MAX))
    return np.array(out)


@given(stored=SIGNED | UNSIGNED, slope=SLOPES, intercept=INTERCEPTS)
def test_rescale_equals_exact_arithmetic(stored, slope, intercept):
    hu = to_hu(stored, slope, intercept)
    assert hu.dtype == np.int16
    np.testing.assert_array_equal(hu, oracle(stored, slope, intercept))


@given(
    stored=SIGNED | UNSIGNED,
    padding=st.tuples(st.integers(-32768, 65535), st.integers(-32768, 65535)),
)
def test_padding_is_compared_with_stored_values(stored, padding):
    np.testing.assert_array_equal(
        to_hu(stored, 1.0, 0.0, padding), oracle(stored, 1.0, 0.0, padding)
    )


def test_padding_never_becomes_water():
    """The tutorial set -2000 to 0 before the intercept: with intercept 0 that is 0 HU."""
    stored = np.array([-2000, 0, 40], dtype=np.int16)
    assert to_hu(stored, 1, 0, (-2000, -2000)).tolist() == [-1024, 0, 40]


def test_padding_tag_of_the_other_sign_is_understood():
    stored = np.array([63536, 1024], dtype=np.uint16)
    assert to_hu(stored, 1, -1024, (-2000, -2000)).tolist() == [-1024, 0]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_input_is_left_alone(dtype):
    stored = np.arange(100, dtype=dtype)
    stored.flags.writeable = False
    to_hu(stored, 1, -1024, (5, 5))
    assert stored.tolist() == list(range(100))
