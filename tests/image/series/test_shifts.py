"""Tilted and shifted slices, told apart by their places in the plane."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.errors import ShiftedSlices, TiltedGantry
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.shifts import check_shifts

HEIGHTS = np.arange(20) * 2.5
REPAIR = LoadOptions(on_gantry_tilt="repair", on_shifted_slices="repair")
PLACE = np.array([-120.0, 80.0])


@given(st.lists(st.floats(-0.025, 0.025), min_size=40, max_size=40))
def test_rounding_is_no_shift(noise):
    sideways = PLACE + np.reshape(noise, (20, 2))
    common, shifts, flags = check_shifts(HEIGHTS, sideways, LoadOptions())
    np.testing.assert_allclose(common, PLACE, atol=0.03)
    assert shifts is None
    assert flags == {}


@pytest.mark.parametrize("degrees", [-18.5, 0.5, 5, 25])
def test_a_shear_is_a_tilt_of_its_angle(degrees):
    sideways = PLACE + HEIGHTS[:, None] * np.tan(np.radians(degrees)) * np.array([1.0, 0.0])
    with pytest.raises(TiltedGantry, match=rf"tilted by {abs(degrees):.1f} degrees"):
        check_shifts(HEIGHTS, sideways, LoadOptions(on_shifted_slices="repair"))
    common, shifts, flags = check_shifts(HEIGHTS, sideways, REPAIR)
    np.testing.assert_allclose(common + shifts, sideways)
    assert flags == {"gantry_tilt_sheared": pytest.approx(abs(degrees), abs=0.01)}


def test_a_moved_slice_is_no_tilt():
    sideways = np.tile(PLACE, (20, 1))
    sideways[7] += (3.0, -4.0)
    with pytest.raises(ShiftedSlices, match=r"1 of 20 slices are shifted .* by up to 5\.00 mm"):
        check_shifts(HEIGHTS, sideways, LoadOptions(on_gantry_tilt="repair"))
    common, shifts, flags = check_shifts(HEIGHTS, sideways, REPAIR)
    assert common.tolist() == PLACE.tolist()
    assert np.flatnonzero(shifts.any(axis=1)).tolist() == [7]
    assert flags == {"shifted_slices_realigned": 5.0}
