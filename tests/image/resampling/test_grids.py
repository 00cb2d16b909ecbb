"""Where new voxels lie, against boxes worked out corner by corner."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resampling_oracles import grid_of, rotation, sample_points, slicing_of, tilted

from lungprep.errors import GridTooLarge
from lungprep.image.resampling import target_grid
from lungprep.image.resampling.grids import is_shifted
from lungprep.image.volume import IDENTITY

SPACINGS = st.floats(0.3, 4.0)
TRIPLES = st.tuples(SPACINGS, SPACINGS, SPACINGS)


def centre_mm(grid):
    return np.array(grid.position_mm(tuple((np.array(grid.shape) - 1) / 2)))


# At most 1467 voxels along an axis: never too many.
@given(n=st.tuples(*[st.integers(1, 110)] * 3), old=TRIPLES, new=TRIPLES)
def test_an_even_scan_keeps_its_box(n, old, new):
    grid = grid_of(n, old)
    out = target_grid(grid, new)
    assert out.spacing_mm == new
    np.testing.assert_allclose(centre_mm(out), centre_mm(grid), atol=1e-9)
    excess = np.abs(np.array(out.shape) * new - np.array(n) * old)
    assert ((excess <= np.array(new) / 2 + 1e-9) | (np.array(out.shape) == 1)).all()


def test_the_same_spacing_is_the_same_grid():
    grid = grid_of((30, 40, 50), (1.25, 0.576172, 0.576172))
    out = target_grid(grid, grid.spacing_mm)
    assert out.shape == grid.shape
    np.testing.assert_allclose(out.origin_mm, grid.origin_mm, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_uneven_slices_reach_half_a_usual_gap_beyond_the_outermost(axis):
    positions = [0, 2, 4, 9, 11]
    shape = [20, 20, 20]
    shape[axis] = 5
    spacing = (2.0, 2.0, 2.0)
    out = target_grid(grid_of(shape, spacing), (1.0, 1.0, 1.0), slicing_of(positions, axis=axis))
    expected_shape, expected_origin = [40, 40, 40], [9.5, -20.5, 29.5]
    expected_shape[axis] = 13
    assert out.shape == tuple(expected_shape)
    assert out.direction == IDENTITY
    np.testing.assert_allclose(out.origin_mm, expected_origin, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_shifts_widen_the_box_and_keep_the_direction(axis):
    shape = [10, 10, 10]
    shape[axis] = 3
    slicing = slicing_of([0, 1, 2], [(0, 0), (3, -1), (-2, 0.5)], axis)
    out = target_grid(grid_of(shape, (1, 1, 1)), (1.0, 1.0, 1.0), slicing)
    others = [a for a in range(3) if a != axis]
    expected, first = [0, 0, 0], np.zeros(3)
    expected[axis], expected[others[0]], expected[others[1]] = 3, 15, 12
    # 11.5 mm is rounded to 12 voxels about the middle, 4.25 mm from the grid's first centre.
    first[others[0]], first[others[1]] = -2, 4.25 - 5.5
    assert out.shape == tuple(expected)
    np.testing.assert_allclose(np.array(out.origin_mm) - (10, -20, 30), first[::-1], atol=1e-9)


@given(angles=st.tuples(*[st.floats(-30, 30)] * 3), n=st.tuples(*[st.integers(2, 40)] * 3))
def test_an_oblique_scan_lies_within_a_canonical_box(angles, n):
    grid = grid_of(n, (1.7, 0.8, 0.9), rotation(*angles))
    if not grid.is_oblique:
        return
    out = target_grid(grid, (1.0, 0.9, 1.1))
    assert out.direction == IDENTITY
    assert out.spacing_mm == (1.0, 0.9, 1.1)
    corners = np.array(
        [grid.position_mm(tuple(np.array(c) * n - 0.5)) for c in np.ndindex(2, 2, 2)]
    )
    low, high = (
        np.array(out.position_mm(i)) for i in ((-0.5,) * 3, tuple(np.array(out.shape) - 0.5))
    )
    new = np.array(out.spacing_mm[::-1])
    for excess in (corners.min(axis=0) - low, high - corners.max(axis=0)):
        assert (excess > -1e-5).all()
        assert (excess <= new / 2 + 1e-5).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_tilted_stack_lies_within_a_canonical_box(axis):
    grid, slicing = tilted(12, 2.5, 18.5, (20, 20, 20), (1.0, 1.0, 1.0), axis)
    out = target_grid(grid, (1.0, 1.0, 1.0), slicing)
    assert out.direction == IDENTITY
    points = sample_points(grid, slicing).reshape(-1, 3)
    low = np.array(out.origin_mm) - 0.5
    high = np.array(out.position_mm(tuple(n - 1 for n in out.shape))) + 0.5
    inset_low, inset_high = points.min(axis=0) - low, high - points.max(axis=0)
    # Half a voxel of the scan turned, or half a gap, and up to half a new voxel from rounding up.
    for inset in (inset_low, inset_high):
        assert (inset > 0.45).all()
        assert (inset < 2.3).all()


def test_turned_means_beyond_the_rounding_of_positions():
    tiny = np.degrees(0.06 / 100)
    shape, spacing = (10, 100, 10), (1.0, 1.0, 1.0)
    assert not grid_of(shape, spacing, rotation(0.9 * tiny, 0, 0)).is_oblique
    assert grid_of(shape, spacing, rotation(1.1 * tiny, 0, 0)).is_oblique
    almost = grid_of(shape, spacing, rotation(0.9 * tiny, 0, 0))
    assert target_grid(almost, (1.0, 1.0, 1.0)).direction == almost.direction


def test_slices_without_shifts_are_not_shifted():
    assert not is_shifted(None)
    assert not is_shifted(slicing_of([0, 1, 5]))
    assert is_shifted(slicing_of([0, 1, 5], [(0, 0), (0, 0), (0, 0.1)]))


def test_a_grid_beyond_memory_is_refused_by_name():
    words = (
        r"^a grid of 0\.001 x 0\.01 x 0\.01 mm would have 80000 x 5000 x 5000 voxels; "
        r"choose a coarser resample\.spacing_mm$"
    )
    with pytest.raises(GridTooLarge, match=words):
        target_grid(grid_of((40, 50, 50), (2.0, 1.0, 1.0)), (0.001, 0.01, 0.01))


def test_obliquity_alone_can_make_a_grid_too_large():
    """3.2e9 voxels along the axes of the scan, 6.4e9 in the box around it."""
    straight = grid_of((2000, 2000, 800), (1.0, 1.0, 1.0))
    assert target_grid(straight, (1.0, 1.0, 1.0)).shape == (2000, 2000, 800)
    oblique = grid_of(straight.shape, straight.spacing_mm, rotation(44, 0, 0))
    words = r"a grid of 1 x 1 x 1 mm would have 2828 x 2828 x 800 voxels; choose a coarser"
    with pytest.raises(GridTooLarge, match=words):
        target_grid(oblique, (1.0, 1.0, 1.0))
