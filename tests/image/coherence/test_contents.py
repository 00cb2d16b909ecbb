"""Slices that show nothing, and slices that repeat another one."""

import numpy as np
from coherence_stacks import GAP_MM, body

from lungprep.image.coherence.contents import is_empty, lost, repeats

HEIGHTS = np.arange(20) * GAP_MM


def which(stack, **values):
    empty = np.array([is_empty(blocks) for blocks in stack])
    return np.flatnonzero(lost(stack, empty, **{"along_body": True, **values})).tolist()


def test_a_blank_slice_inside_is_lost_whatever_its_value():
    stack = body(HEIGHTS)
    for at, value in ((4, -1024.0), (9, 0.0), (14, 300.0)):
        stack[at] = value
    assert which(stack) == [4, 9, 14]


def test_at_an_end_only_a_constant_slice_after_a_full_one_is_lost():
    stack = body(HEIGHTS)
    stack[:2], stack[-1] = -1024, np.random.default_rng(0).normal(-1000, 8, (32, 32))
    assert which(stack) == [0, 1]
    assert which(stack, along_body=False) == []


def test_air_between_a_table_and_a_body_is_not_lost():
    """Coronal slices: the table, air, the body."""
    stack = body(HEIGHTS)
    stack[0], stack[1] = -1000.0, -1000.0
    stack[0, 8:24] = -400.0
    assert which(stack) == [1]
    assert which(stack, along_body=False) == []
    stack[9] = -1000.0
    assert which(stack, along_body=False) == [9]


def test_nothing_is_lost_where_all_is_air():
    assert which(np.full((9, 32, 32), -1000, np.float32)) == []


def test_repeated_pixels_are_found_where_there_is_noise():
    random = np.random.default_rng(1)
    stack = body(HEIGHTS)
    stack[12] = stack[3]
    noisy = random.integers(-50, 50, (20, 64, 64)).astype(np.int16)
    noisy[12] = noisy[3]
    assert repeats(stack, lambda k: noisy[k]) == [(3, 12)]
    drawn = np.zeros((20, 64, 64), np.int16)
    assert repeats(stack, lambda k: drawn[k]) == []
    assert repeats(stack[:4], lambda k: noisy[3]) == []
