"""Even, missing and uneven slices, told apart by their heights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.errors import MissingSlices, UnevenGaps
from lungprep.image.series.gaps import check_gaps
from lungprep.image.series.policy import LoadOptions

STRICT = LoadOptions()
REPAIR = LoadOptions(on_missing_slices="repair", on_uneven_gaps="repair")


def gaps_of(*heights, options=STRICT):
    return check_gaps(np.array(heights, float), [f"{i}.dcm" for i in range(len(heights))], options)


def test_positions_rounded_to_a_decimal_are_even():
    gaps = gaps_of(*(round(0.625 * k, 1) for k in range(200)))
    assert gaps.usual_mm == pytest.approx(0.625, abs=5e-4)
    assert gaps.positions_mm is None
    assert gaps.flags == {}


@pytest.mark.parametrize(
    ("heights", "error", "words"),
    [
        ((0, 5, 10, 20, 25), MissingSlices, "1 of 6 slices are missing, such as 1 between 2.dcm"),
        ((0, 5, 15), MissingSlices, "10.00 mm apart where 5.00 mm is usual"),
        ((0, 1, 2, 5, 8, 9), MissingSlices, "4 of 10 slices are missing"),
        ((0, 5, 11.5, 16.5), UnevenGaps, "from 5.000 to 6.500 mm; .*load.on_uneven_gaps"),
    ],
)
def test_bad_gaps_are_refused_by_name(heights, error, words):
    with pytest.raises(error, match=words):
        gaps_of(*heights)


def test_missing_slices_are_repaired_up_to_so_many_in_a_row():
    gaps = gaps_of(3, 8, 13, 23, 28, 38, options=REPAIR)
    assert gaps.positions_mm.tolist() == pytest.approx([0, 5, 10, 20, 25, 35])
    assert gaps.usual_mm == pytest.approx(5)
    assert gaps.flags == {"missing_slices_interpolated": 2}
    with pytest.raises(MissingSlices, match=r"2 between .* raise load.max_missing_slices \(1\)"):
        gaps_of(0, 5, 10, 25, 30, options=REPAIR)


@given(st.lists(st.sampled_from([2.0, 2.7, 3.3]), min_size=4, max_size=12))
def test_uneven_slices_keep_their_true_heights(steps):
    heights = np.concatenate([[0.0], np.cumsum(steps)]) + 7
    gaps = gaps_of(*heights, options=REPAIR)
    if gaps.positions_mm is None:
        assert len(set(steps)) == 1
    else:
        np.testing.assert_allclose(gaps.positions_mm, heights - 7, atol=1e-9)
        assert gaps.flags == {"uneven_gaps_resampled": pytest.approx(max(steps))}
    assert gaps.start_mm == pytest.approx(7)


def test_a_table_that_jitters_is_taken_at_its_true_heights():
    """More than rounding explains and less than a defect: used as it is, and flagged."""
    heights = [0, 8.0, 16.1, 24.0, 31.9, 40.0]
    gaps = gaps_of(*heights)
    assert gaps.positions_mm.tolist() == pytest.approx(heights)
    assert gaps.flags == {"uneven_gaps_resampled": 8.1}
    gaps = gaps_of(*heights, 56.0, options=REPAIR)
    assert gaps.positions_mm.tolist() == pytest.approx([*heights, 56.0])
    assert gaps.flags == {"missing_slices_interpolated": 1, "uneven_gaps_resampled": 16.0}


def test_a_hole_is_not_interpolated_however_lenient():
    with pytest.raises(UnevenGaps, match=r"to 40\.300 mm, wider than can be interpolated"):
        gaps_of(0, 2, 4, 44.3, 46.3, options=REPAIR)
