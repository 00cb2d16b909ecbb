"""The gate of the geometry: planes in, a stack or a refusal out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.errors import InconsistentSlices, ObliqueSlices, TiltedGantry, TooShort, UnevenGaps
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.stacking import Planes, axes_of, stack_planes

AXIAL = (1.0, 0, 0, 0, 1, 0)
ANY_LENGTH = LoadOptions(min_length_mm=0)


def planes_at(positions, orientation=AXIAL, spacing=(0.8, 0.7), shape=(6, 5)):
    n = len(positions)
    orientations = (
        np.array([orientation] * n, float) if len(np.shape(orientation)) == 1 else orientation
    )
    return Planes(
        keys=[f"{i}.dcm" for i in range(n)],
        positions=np.array(positions, float),
        orientations=np.asarray(orientations, float),
        spacings=np.array([spacing] * n, float),
        shapes=np.array([shape] * n),
    )


def stack_of(positions, options=ANY_LENGTH, **header):
    planes = planes_at(positions, **header)
    axes = axes_of(planes)
    return stack_planes(planes.take(list(np.argsort(planes.positions @ axes[0]))), axes, options)


def along_z(*heights):
    return [(1.0, 2.0, z) for z in heights]


@given(st.permutations(range(8)), st.floats(0.3, 10))
def test_even_slices_are_a_plain_stack(order, gap):
    stack, flags = stack_of(along_z(*(gap * k for k in order)))
    assert stack.even
    assert stack.spacing_mm == pytest.approx((gap, 0.8, 0.7))
    assert stack.origin_mm == (1.0, 2.0, 0.0)
    assert stack.length_mm == pytest.approx(8 * gap)
    assert flags == {}


def test_defects_are_refused_or_flagged():
    uneven = along_z(0, 5, 11.5, 16.5)
    with pytest.raises(UnevenGaps):
        stack_of(uneven)
    stack, flags = stack_of(uneven, LoadOptions(min_length_mm=0, on_uneven_gaps="repair"))
    assert stack.heights_mm.tolist() == [0, 5, 11.5, 16.5]
    assert flags == {"uneven_gaps_resampled": 6.5}

    tilted = [(0, k, 5.0 * k) for k in range(5)]
    with pytest.raises(TiltedGantry):
        stack_of(tilted)
    stack, flags = stack_of(tilted, LoadOptions(min_length_mm=0, on_gantry_tilt="repair"))
    assert stack.shifts_mm[:, 0].tolist() == pytest.approx([-2, -1, 0, 1, 2])
    assert flags == {"gantry_tilt_sheared": 11.31}


def test_a_stack_that_is_too_short_is_no_chest():
    with pytest.raises(TooShort, match=r"the 4 slices cover 20\.0 mm, less than .* \(25\)"):
        stack_of(along_z(0, 5, 10, 15), LoadOptions(min_length_mm=25))
    stack_of(along_z(0, 5, 10, 15), LoadOptions(min_length_mm=20))


@pytest.mark.parametrize(
    ("degrees", "accepted"), [(0.001, True), (7, True), (29, True), (31, False)]
)
def test_oblique_slices_are_resliced_up_to_an_angle(degrees, accepted):
    angle = np.radians(degrees)
    row = (1.0, 0, 0)
    column = (0, np.cos(angle), np.sin(angle))
    normal = np.cross(row, column)
    positions = [k * 5 * normal for k in range(9)]
    if accepted:
        stack, flags = stack_of(positions, orientation=(*row, *column))
        assert stack.even
        assert flags == ({"oblique_resliced": degrees} if degrees > 1 else {})
        return
    with pytest.raises(ObliqueSlices, match=r"turned by 31\.0 degrees .*max_oblique_deg \(30\)"):
        stack_of(positions, orientation=(*row, *column))


def test_mixed_orientation_is_refused():
    mixed = np.array([AXIAL] * 4 + [(0, 1, 0, 0, 0, -1)], float)
    with pytest.raises(
        InconsistentSlices, match=r"ImageOrientationPatient is .* in 0\.dcm and .* in 4\.dcm"
    ):
        stack_of(along_z(0, 1, 2, 3, 4), orientation=mixed)


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
    with pytest.raises(InconsistentSlices, match="not a pair of perpendicular unit vectors"):
        stack_of(along_z(0, 1, 2), orientation=(1, 0, 0, 1, 0, 0))
