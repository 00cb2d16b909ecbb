"""Stored values of every HU that int16 holds, against the originals' own formulas."""

import numpy as np
import pytest

from lungprep.image.output.options import ExportOptions
from lungprep.image.output.scales import Scale

EVERY = np.arange(-(1 << 15), 1 << 15).astype(np.int16).reshape(64, 32, 32)


def test_uint8_is_cut_off_as_grt123_did():
    scaled = (EVERY.astype(float) + 1200) / 1800
    scaled[scaled < 0] = 0
    scaled[scaled > 1] = 1
    expected = (scaled * 255).astype("uint8")
    found = Scale("uint8", (-1200.0, 600.0)).store(EVERY)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    assert Scale("uint8", (-1200.0, 600.0)).store_one(0) == 170
    bright = EVERY[found > 210]
    assert (bright.min(), EVERY[found == 210].max()) == (290, 289)


def test_float32_is_centred_as_in_the_tutorial():
    expected = np.clip((EVERY.astype(float) + 1000) / 1400, 0, 1) - 0.25
    found = Scale("float32", (-1000.0, 400.0), 0.25).store(EVERY)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected.astype(np.float32))
    assert found.min() == -0.25
    assert found.max() == 0.75


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_hu_are_stored_as_they_are(dtype):
    scale = Scale.of(ExportOptions(dtype=dtype))
    found = scale.store(EVERY[::2, :, ::-1])
    assert found.dtype == dtype
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, EVERY[::2, :, ::-1])
    assert (scale.slope_hu, scale.intercept_hu, scale.window_hu) == (1.0, 0.0, None)


@pytest.mark.parametrize(
    ("dtype", "window", "zero_centre", "error"),
    [
        ("uint8", [-1200, 600], 0.0, 1800 / 255),
        ("float32", [-1000, 400], 0.25, 1e-3),
        ("float32", [-1350.5, 150], 0.0, 1e-3),
    ],
)
def test_slope_and_intercept_lead_back(dtype, window, zero_centre, error):
    scale = Scale.of(ExportOptions(dtype=dtype, window_hu=window, zero_centre=zero_centre))
    inside = np.arange(np.ceil(window[0]), window[1] + 1).astype(np.int16).reshape(1, 1, -1)
    back = scale.store(inside).astype(float) * scale.slope_hu + scale.intercept_hu
    lost = inside - back
    assert np.abs(lost).max() <= error
    assert dtype != "uint8" or lost.min() > -1e-9, "rounded down"


def test_views_of_any_layout_are_stored_alike():
    scale = Scale("uint8", (-1200.0, 600.0))
    view = EVERY.transpose(2, 0, 1)[3:17, ::-2]
    np.testing.assert_array_equal(scale.store(view), scale.store(view.copy()))
