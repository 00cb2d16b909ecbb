"""The graded doubt in a mask: what raises it, and what does not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_findings import MAY_BE_NONE, USUAL

from lungprep.image.segmentation.doubt_score import WEIGHTS, doubt, terms


def test_usual_lungs_are_hardly_doubted():
    assert doubt(USUAL) == pytest.approx(0.17, abs=0.02)
    assert terms(USUAL).keys() == WEIGHTS.keys()


@pytest.mark.parametrize(
    ("little", "much"),
    [
        ({"right_recess_mm": 10.0}, {"right_recess_mm": -5.0, "left_recess_mm": -5.0}),
        ({"base_step_mm": 25.0}, {"base_step_mm": 60.0}),
        ({"base_step_mm": -30.0}, {"base_step_mm": -60.0}),
        ({"left_rib_gap_mm": 14.0}, {"left_rib_gap_mm": 30.0}),
        ({"left_emphysema_percent": 10.0}, {"left_emphysema_percent": 30.0}),
        ({"collapsed_ml": 50.0}, {"collapsed_ml": 300.0}),
        ({"left_completed_ml": 100.0}, {"left_completed_ml": 300.0, "right_completed_ml": 300.0}),
        ({"base_gas_ml": 5.0}, {"base_gas_ml": 5.0, "left_rib_gap_mm": 14.0}),
        ({"right_ml": 300.0, "left_ml": 250.0, "surface_cm2": 900.0},
         {"right_ml": 60.0, "left_ml": 50.0, "surface_cm2": 300.0}),
    ],
)  # fmt: skip
def test_more_of_it_is_more_doubt(little, much):
    sound, some, more = (doubt(replace(USUAL, **change)) for change in ({}, little, much))
    assert sound < some < more <= 1


def test_a_scan_that_ends_in_the_lungs_has_no_bases_to_doubt():
    cut = {"right_recess_mm": -20.0, "left_recess_mm": -20.0, "base_step_mm": 60.0}
    assert doubt(replace(USUAL, **cut)) > 0.4
    assert doubt(replace(USUAL, **cut, touches=("feet",))) == doubt(USUAL)


@given(st.sets(st.sampled_from(MAY_BE_NONE)), st.floats(0, 1e5), st.floats(0, 1e5))
def test_doubt_is_between_0_and_1_whatever_is_known(unknown, right_ml, left_ml):
    found = replace(USUAL, **dict.fromkeys(unknown), right_ml=right_ml, left_ml=left_ml)
    assert 0 <= doubt(found) <= 1
