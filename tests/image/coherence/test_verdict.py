"""What is found in a made-up body whose slices are spoilt, and that nothing is in sound ones."""

import numpy as np
import pytest
from coherence_stacks import GAP_MM, body, evidence
from hypothesis import given, settings
from hypothesis import strategies as st

from lungprep.image.coherence.verdict import objections

HEIGHTS = np.arange(40) * GAP_MM


def found(thumbnails, heights_mm=None, **values):
    judged = objections(evidence(thumbnails, heights_mm, **values))
    return [(o.first, o.last, o.certain) for o in judged]


@settings(deadline=None, max_examples=60)
@given(
    gap_mm=st.floats(0.5, 6),
    noise_hu=st.floats(0, 40),
    wide=st.floats(8, 14),
    seed=st.integers(0, 99),
)
def test_nothing_is_found_in_a_sound_stack(gap_mm, noise_hu, wide, seed):
    heights = np.arange(30) * gap_mm
    assert found(body(heights, noise_hu=noise_hu, wide=wide, seed=seed), heights) == []


def test_uneven_gaps_are_no_objection():
    heights = np.concatenate([np.arange(20) * 2.0, 38 + np.arange(1, 12) * 6.0])
    assert found(body(heights), heights) == []


@pytest.mark.parametrize("back_mm", [2, 3, 4, 5, 6, 7, 10, 15])
def test_a_breath_is_no_objection(back_mm):
    """From the middle on, the body is shifted back along the stack."""
    assert found(body(np.where(HEIGHTS < 40, HEIGHTS, HEIGHTS - back_mm))) == []


SPOILT = {
    "mirrored": lambda t: t[:, ::-1],
    "upside down": lambda t: t[::-1],
    "of half the values": lambda t: t / 2 - 500,
    "100 HU too bright": lambda t: t + 100,
    "noise": lambda t: np.random.default_rng(1).normal(-300, 100, t.shape),
    "of another place": lambda t: body([60.0], seed=3)[0],
    "of another person": lambda t: body([40.0], wide=9.0, heart_x=-4.0)[0],
}


@pytest.mark.parametrize("name", SPOILT)
@pytest.mark.parametrize("at", [1, 7, 20, 38])
def test_a_slice_that_does_not_belong_is_named(name, at):
    stack = body(HEIGHTS)
    stack[at] = SPOILT[name](stack[at])
    ((first, last, _),) = found(stack)
    assert first == last == at


@pytest.mark.parametrize("first", [3, 20, 31])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_stretch_in_reverse_order_is_named(first, count):
    stack = body(HEIGHTS, noise_hu=1.0)
    stack[first : first + count] = stack[first : first + count][::-1].copy()
    assert found(stack) == [(first, first + count - 1, True)]


def test_two_bodies_are_told_apart_where_they_meet():
    stack = body(HEIGHTS)
    stack[18:] = body(HEIGHTS[18:], wide=8.0, heart_x=-5.0)
    assert (17, 18, True) in found(stack)


@pytest.mark.parametrize("shift_mm", [2, 3, 8])
def test_two_scans_in_turn_are_told(shift_mm):
    places = HEIGHTS + shift_mm * (np.arange(40) % 2)
    assert found(body(places, noise_hu=1.0)) == [(0, 39, True)]


def test_rows_that_break_off_are_told():
    stack = body(HEIGHTS)
    stack[12, 20:] = -1024
    assert found(stack) == [(12, 12, True)]


def test_metal_excuses_streaks_and_no_other_person():
    metal = np.isin(np.arange(40), [20])
    stack = body(HEIGHTS)
    stack[20, 10:14, 4:28] += 60
    assert found(stack, metal=metal) == []
    stack[20] = body([40.0], wide=8.0)[0]
    assert found(stack, metal=metal) != []


def test_few_slices_are_not_judged():
    stack = body(HEIGHTS[:4])
    stack[2] = stack[2][::-1]
    assert found(stack) == []


def test_a_body_may_begin_beside_air():
    stack = body(HEIGHTS)
    stack[:3] = np.random.default_rng(2).normal(-1000, 5, (3, 32, 32))
    empty = np.arange(40) < 3
    assert found(stack, empty=empty) == []
