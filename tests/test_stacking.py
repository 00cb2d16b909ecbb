"""Order and checks of a stack of slices, and its canonical layout."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.errors import (
    DuplicatePositions,
    InconsistentSlices,
    MissingSlices,
    TiltedGantry,
    UnevenGaps,
)
from lungprep.geometry import canonical_layout
from lungprep.stacking import order_slices

AXIAL = (1.0, 0, 0, 0, 1, 0)


def stack_of(positions, orientation=AXIAL, spacing=(0.8, 0.7), shape=(6, 5)):
    n = len(positions)
    orientations = (
        np.array([orientation] * n, float) if len(np.shape(orientation)) == 1 else orientation
    )
    return order_slices(
        keys=[f"{i}.dcm" for i in range(n)],
        positions=np.array(positions, float),
        orientations=np.asarray(orientations, float),
        spacings=np.array([spacing] * n, float),
        shapes=np.array([shape] * n),
    )


def along_z(*heights):
    return [(1.0, 2.0, z) for z in heights]


@given(st.permutations(range(8)), st.floats(0.3, 10))
def test_order_follows_position_whatever_the_order_of_files(order, gap):
    ranks, stack = stack_of(along_z(*(gap * k for k in order)))
    assert [order[i] for i in ranks] == list(range(8))
    assert stack.spacing_mm == pytest.approx((gap, 0.8, 0.7))
    assert stack.origin_mm == (1.0, 2.0, 0.0)


def test_positions_rounded_to_a_decimal_are_even():
    _, stack = stack_of(along_z(*(round(0.625 * k, 1) for k in range(200))))
    assert stack.spacing_mm[0] == pytest.approx(0.625, abs=5e-4)


@pytest.mark.parametrize(
    ("heights", "error", "words"),
    [
        ((0, 5, 10, 10, 15), DuplicatePositions, "2 slices share a position with another"),
        ((4, 4, 4, 4), DuplicatePositions, "0.dcm and 1.dcm at 4.00 mm"),
        (
            (0, 5, 10, 20, 25),
            MissingSlices,
            "1 of 6 slices are missing, such as between 2.dcm and 3.dcm",
        ),
        ((0, 5, 15), MissingSlices, "10.00 mm apart where 5.00 mm is usual"),
        ((0, 1, 2, 5, 8, 9), MissingSlices, "4 of 10 slices are missing"),
        ((0, 5, 11.5, 16.5), UnevenGaps, "from 5.000 to 6.500 mm"),
    ],
)
def test_bad_gaps_are_refused_by_name(heights, error, words):
    with pytest.raises(error, match=words):
        stack_of(along_z(*heights))


def test_tilt_is_refused():
    with pytest.raises(TiltedGantry, match=r"shifted by up to 4\.00 mm"):
        stack_of([(0, k, 5.0 * k) for k in range(5)])


def test_mixed_orientation_is_refused():
    mixed = np.array([AXIAL] * 4 + [(0, 1, 0, 0, 0, -1)], float)
    with pytest.raises(
        InconsistentSlices, match=r"ImageOrientationPatient is .* in 0\.dcm and .* in 4\.dcm"
    ):
        stack_of(along_z(0, 1, 2, 3, 4), mixed)


@pytest.mark.parametrize(("degrees", "accepted"), [(0.0001, True), (0.05, False)])
def test_slices_turned_against_each_other_are_refused(degrees, accepted):
    """0.05 degrees move the corner of a field of 500 mm by half a millimetre."""
    turned = np.array([AXIAL] * 4, float)
    angle = np.radians(degrees)
    turned[2] = (np.cos(angle), np.sin(angle), 0, -np.sin(angle), np.cos(angle), 0)
    options = {"orientation": turned, "spacing": (1, 1), "shape": (500, 500)}
    if accepted:
        stack_of(along_z(0, 1, 2, 3), **options)
        return
    with pytest.raises(InconsistentSlices, match="ImageOrientationPatient"):
        stack_of(along_z(0, 1, 2, 3), **options)


def test_orientation_must_be_two_unit_vectors():
    with pytest.raises(InconsistentSlices, match="no pair of unit vectors"):
        stack_of(along_z(0, 1, 2), (1, 0, 0, 1, 0, 0))


def rotations():
    """All 24 ways to hold a scanner along the axes of the patient, as row and column directions."""
    units = [s * np.eye(3)[a] for a in range(3) for s in (1, -1)]
    return [(*r, *c) for r in units for c in units if abs(r @ c) < 0.5]


@pytest.mark.parametrize("orientation", rotations())
def test_every_acquisition_lands_on_the_canonical_axes(orientation):
    """The position of each voxel by the DICOM formula (C.7.6.2.1.1) and by the canonical grid."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    positions = [np.array([3.0, -4.0, 5.0]) + 2.0 * k * normal for k in range(4)]
    order, stack = stack_of(positions, orientation, spacing=(0.8, 0.7), shape=(6, 5))
    grid, axes, flips = canonical_layout(stack)
    np.testing.assert_allclose(grid.direction, np.eye(3), atol=1e-12)
    canonical = np.zeros((*grid.shape, 3))
    acquired = np.flip(canonical, flips).transpose(*np.argsort(axes), 3)
    for k, i, j in np.ndindex(stack.shape):
        acquired[k, i, j] = positions[order[k]] + column * 0.8 * i + row * 0.7 * j
    for index in np.ndindex(grid.shape):
        np.testing.assert_allclose(canonical[index], grid.position_mm(index), atol=1e-9)


def test_oblique_stack_keeps_its_rotation():
    angle = np.radians(10)
    row, column = (1, 0, 0), (0, np.cos(angle), np.sin(angle))
    normal = np.cross(row, column)
    _, stack = stack_of([normal * 3.0 * k for k in range(5)], (*row, *column))
    grid, _, flips = canonical_layout(stack)
    assert flips == ()
    np.testing.assert_allclose(np.array(grid.direction)[:, 1], column, atol=1e-12)
    np.testing.assert_allclose(np.array(grid.direction)[:, 2], normal, atol=1e-12)
