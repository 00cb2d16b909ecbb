import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from lungprep.image.segmentation.morphology import (
    bounding_box,
    close,
    dilate,
    erode,
    neighbours,
    spread,
)

ISOTROPIC = (2.0, 2.0, 2.0)
masks = arrays(bool, st.tuples(*[st.integers(1, 9)] * 3))
radii = st.sampled_from([0.0, 2.0, 4.0, 6.0, 10.0])
spacings = st.sampled_from([ISOTROPIC, (5.0, 1.5, 2.0), (1.0, 3.0, 3.0)])


def unit_steps(radius_mm, spacing_mm):
    """The structuring elements that `dilate` applies, one after the other."""
    cross, cube = ndimage.generate_binary_structure(3, 1), np.ones((3, 3, 3), bool)
    reach = [int(np.ceil(radius_mm / s - 0.5)) for s in spacing_mm]
    for i in range(max(reach)):
        shape = cube if round((i + 1) * 0.366) > round(i * 0.366) else cross
        kept = shape.copy()
        for axis in range(3):
            moves = (i + 1) * reach[axis] // max(reach) > i * reach[axis] // max(reach)
            if not moves:
                kept[tuple([0, 2] if a == axis else slice(None) for a in range(3))] = False
        yield kept


@settings(max_examples=60, deadline=None)
@given(masks, radii, spacings)
def test_dilate_and_erode_are_scipys_with_the_same_elements(mask, radius, spacing):
    grown, shrunk = mask, mask
    for element in unit_steps(radius, spacing):
        grown = ndimage.binary_dilation(grown, element)
        shrunk = ndimage.binary_erosion(shrunk, element, border_value=1)
    assert np.array_equal(dilate(mask, radius, spacing), grown)
    assert np.array_equal(erode(mask, radius, spacing), shrunk)


@pytest.mark.parametrize("radius", [4.0, 6.0, 8.0, 10.0])
def test_a_point_grows_into_a_ball(radius):
    point = np.zeros((15, 15, 15), bool)
    point[7, 7, 7] = True
    z, y, x = np.mgrid[-7:8, -7:8, -7:8] * 2.0
    distance = np.sqrt(z * z + y * y + x * x)
    ball = dilate(point, radius, ISOTROPIC)
    assert ball[distance <= 0.85 * radius].all()
    assert not ball[distance > 1.25 * radius].any()


@settings(max_examples=40, deadline=None)
@given(masks, radii, spacings)
def test_close_is_scipys_on_an_endless_array(mask, radius, spacing):
    elements = list(unit_steps(radius, spacing))
    closed = np.pad(mask, len(elements))
    for element in elements:
        closed = ndimage.binary_dilation(closed, element)
    for element in elements:
        closed = ndimage.binary_erosion(closed, element, border_value=1)
    inner = tuple(slice(len(elements), len(elements) + n) for n in mask.shape)
    assert np.array_equal(close(mask, radius, spacing), closed[inner])


@settings(max_examples=40, deadline=None)
@given(masks, masks, radii)
def test_spread_grows_both_labels_and_moves_none(first, second, radius):
    shape = tuple(min(a, b) for a, b in zip(first.shape, second.shape, strict=True))
    part = tuple(slice(n) for n in shape)
    labels = np.where(first[part], 1, 2 * second[part]).astype(np.uint8)
    grown = spread(labels, radius, ISOTROPIC)
    assert np.array_equal(grown[labels > 0], labels[labels > 0])
    assert np.array_equal(grown > 0, dilate(labels > 0, radius, ISOTROPIC))


def test_spread_gives_each_voxel_to_the_nearer_label():
    labels = np.zeros((1, 1, 9), np.uint8)
    labels[0, 0, 1], labels[0, 0, 6] = 2, 1
    assert spread(labels, 8.0, ISOTROPIC).ravel().tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 1]


def test_spread_within_goes_around_what_is_outside():
    labels, within = np.zeros((1, 3, 9), np.uint8), np.ones((1, 3, 9), bool)
    labels[0, 0, 0] = 1
    within[0, :2, 4] = False
    assert not spread(labels, 10.0, ISOTROPIC, within)[0, 0, 5:].any()
    around = spread(labels, 30.0, ISOTROPIC, within)
    assert np.array_equal(around > 0, within)


@settings(max_examples=40, deadline=None)
@given(masks, masks, radii)
def test_spread_within_everything_is_spread_and_never_leaves(first, second, radius):
    labels = first.astype(np.uint8)
    everything = np.ones(labels.shape, bool)
    free = spread(labels, radius, ISOTROPIC)
    assert np.array_equal(spread(labels, radius, ISOTROPIC, everything), free)
    within = first | np.resize(second, first.shape)
    held = spread(labels, radius, ISOTROPIC, within)
    assert not held[~within].any()
    assert (held[first] == 1).all()
    assert not (held > free).any()


@given(st.tuples(*[st.integers(1, 4)] * 3))
def test_neighbours_are_all_pairs_that_share_a_face(shape):
    index = np.arange(np.prod(shape)).reshape(shape)
    found = []
    for here, beside, mm2 in neighbours((2.0, 3.0, 5.0)):
        assert mm2 == {0: 15.0, 1: 10.0, 2: 6.0}[axis_of(here)]
        found += zip(index[here].ravel().tolist(), index[beside].ravel().tolist(), strict=True)
    places = list(np.ndindex(shape))
    expected = [
        (index[a], index[b]) for a in places for b in places if np.abs(np.subtract(a, b)).sum() == 1
    ]
    assert sorted(found) == sorted(expected)


def axis_of(here):
    return next(axis for axis, part in enumerate(here) if part != slice(None))


def test_bounding_box_has_its_margin_within_the_array():
    mask = np.zeros((10, 10, 10), bool)
    mask[4, 1, 5:7] = True
    assert bounding_box(mask, 3.0, ISOTROPIC) == (slice(2, 7), slice(0, 4), slice(3, 9))
    assert bounding_box(mask & False, 3.0, ISOTROPIC) == (slice(0, 0),) * 3
