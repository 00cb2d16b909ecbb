"""How the samples of an axis are read."""

import numpy as np
import pytest

from lungprep.image.resampling.axes import read_axis

UNEVEN = np.array([0, 1.0, 2.2, 3.0, 7.0])


@pytest.mark.parametrize("antialias", [True, False])
def test_the_kernel_is_widened_only_where_the_axis_gets_coarser(antialias):
    assert read_axis(np.arange(9.0), 0.5, "linear", antialias).stretch == 1
    assert read_axis(np.arange(9.0), 1 + 1e-9, "linear", antialias).stretch == 1
    assert read_axis(np.arange(9.0), 2.5, "linear", antialias).stretch == (2.5 if antialias else 1)


def test_cubic_falls_to_linear_on_an_uneven_axis_alone():
    assert read_axis(UNEVEN, 1, "cubic", True).interpolation == "linear"
    assert read_axis(np.arange(9) + 1e-6, 1, "cubic", True).interpolation == "cubic"
    assert read_axis(UNEVEN, 1, "nearest", True).interpolation == "nearest"


def test_what_was_scanned_ends_half_a_usual_distance_beyond_the_samples():
    assert read_axis(np.arange(9.0), 1, "linear", True).limits == (-0.5, 8.5)
    assert read_axis(UNEVEN, 1, "linear", True).limits == (-0.5, 7.5)
