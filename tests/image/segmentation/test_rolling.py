from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from segmentation_shapes import ellipsoid, share

from lungprep.image.segmentation.rolling import _closed, goes_on, unreached

SPACINGS = [(2.0, 2.0, 2.0), (5.0, 1.5, 2.0), (1.0, 3.0, 3.0), (0.7, 0.7, 0.7)]
shapes = st.tuples(*[st.integers(1, 12)] * 3)
directions = [d for d in product((-1, 0, 1), repeat=3) if d > (0, 0, 0)]


def blobs(shape, seed, filled):
    """Smooth random shapes, which disks can roll along."""
    noise = np.random.default_rng(seed).standard_normal(shape)
    smooth = ndimage.gaussian_filter(noise, 2.0, mode="constant")
    return smooth > np.quantile(smooth, 1 - filled)


def closed(plane, radius_mm, steps):
    """Closing by an exact disk: what lies further than its radius from where its centre may be."""
    margin = [int(radius_mm / s) + 2 for s in steps]
    padded = np.pad(plane, [(m, m) for m in margin])
    if not plane.any():
        return plane
    centres = ndimage.distance_transform_edt(~padded, sampling=steps) > radius_mm
    reached = ndimage.distance_transform_edt(~centres, sampling=steps) <= radius_mm
    return ~reached[tuple(slice(m, -m) for m in margin)]


def votes(mask, radius_mm, spacing):
    """Plane by plane."""
    count = np.zeros(mask.shape, int)
    for axis in range(3):
        steps = [s for i, s in enumerate(spacing) if i != axis]
        for i in range(mask.shape[axis]):
            plane = tuple(i if a == axis else slice(None) for a in range(3))
            count[plane] += closed(mask[plane], radius_mm, steps)
    return count


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(("radius", "filled"), [(6.0, 0.1), (16.0, 0.03), (24.0, 0.02)])
def test_votes_are_those_of_disks_in_each_plane(spacing, radius, filled):
    """OpenCV's distances are right within 2 %, and stretched planes within an eighth of a step.

    So what differs has to lie within a pixel of where the number of votes changes.
    """
    mask = blobs((30, 34, 32), 1, filled)
    found, expected = unreached(mask, radius, 0.1, spacing), votes(mask, radius, spacing)
    assert found.dtype == np.uint8
    assert (found[mask] == 3).all()
    least = ndimage.minimum_filter(expected, 3)
    most = ndimage.maximum_filter(expected, 3)
    assert np.mean((found < least) | (found > most)) < 0.001
    assert np.count_nonzero(found != expected) < 0.2 * np.count_nonzero(expected)


def closed_by_distances(plane, radius):
    """Closing by what lies within OpenCV's chamfer distance, worked out twice."""
    frame = int(radius) + 2
    outside = np.pad(~plane, frame, constant_values=True).astype(np.uint8)
    far = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_5) <= radius
    back = cv2.distanceTransform(far.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > radius
    return back[frame:-frame, frame:-frame]


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 20), st.integers(1, 25), st.integers(1, 25)),
    st.floats(0.3, 14),
    st.integers(0, 999),
    st.sampled_from([0.0, 0.03, 0.2, 0.6]),
)
def test_planes_in_the_bits_of_a_byte_close_as_each_by_itself(shape, radius, seed, filled):
    planes = np.random.default_rng(seed).random(shape) < filled
    expected = [closed_by_distances(plane, radius) for plane in planes]
    np.testing.assert_array_equal(_closed(planes, radius, 1.0, 1.0), expected)


@settings(max_examples=30, deadline=None)
@given(
    shapes, st.integers(0, 999), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.sampled_from(SPACINGS)
)
def test_nothing_in_the_mask_is_reached_on_any_shape(shape, seed, filled, spacing):
    mask = np.random.default_rng(seed).random(shape) < filled
    found = unreached(mask, 8.0, 0.1, spacing)
    assert found.shape == mask.shape
    assert (found[mask] == 3).all()
    assert mask.any() or not found.any()
    assert found.max(initial=0) <= 3


def test_a_pit_has_three_votes_a_groove_two_and_a_flat_wall_none():
    solid = np.zeros((40, 40, 40), bool)
    solid[:, 20:] = True
    pit, groove = solid.copy(), solid.copy()
    pit[18:22, 20:24, 18:22] = False
    groove[18:22, 20:24] = False
    for mask, expected in ((pit, 3), (groove, 2)):
        hole = solid & ~mask
        found = unreached(mask, 20.0, 2.0, (2.0, 2.0, 2.0))
        # The disk dips a little into the hole, and the groove's ends are open.
        hole[:, 20] = False
        hole[:6] = hole[-6:] = hole[:, :, :6] = hole[:, :, -6:] = False
        assert (found[hole] == expected).all()
        assert not found[:, :18].any()


@pytest.mark.parametrize("step", [1.0, 2.0, 4.0])
def test_coarser_blocks_vote_as_fine_ones_but_for_the_rim(step):
    ball = ellipsoid((64, 64, 64), (32, 32, 32), 26, (1.0, 1.0, 1.0))
    dent = ellipsoid((64, 64, 64), (32, 56, 32), 9, (1.0, 1.0, 1.0))
    found = unreached(ball & ~dent, 24.0, step, (1.0, 1.0, 1.0))
    # Where the surface lies is known to a block.
    inner = ball & dent & ellipsoid((64, 64, 64), (32, 32, 32), 22 - step, (1.0, 1.0, 1.0))
    assert share(found == 3, inner) > 0.95
    assert not found[~ellipsoid((64, 64, 64), (32, 32, 32), 26 + 2 * step, (1.0, 1.0, 1.0))].any()


def line_oracle(outside, half_mm, spacing):
    """Voxel by voxel along each direction; beyond the array counts as outside the mask."""
    found = np.zeros(outside.shape, bool)
    for direction in directions:
        length = np.linalg.norm(np.multiply(direction, spacing))
        reach = int(half_mm / length + 0.5)
        for voxel in np.ndindex(outside.shape):
            line = (np.add(voxel, np.multiply(direction, t)) for t in range(-reach, reach + 1))
            inside = (
                p for p in line if all(0 <= c < n for c, n in zip(p, outside.shape, strict=True))
            )
            found[voxel] |= all(outside[tuple(p)] for p in inside)
    return found


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.integers(1, 7)] * 3),
    st.integers(0, 999),
    st.sampled_from([0.0, 0.1, 0.3, 0.8]),
    st.sampled_from(SPACINGS),
    st.sampled_from([0.0, 4.0, 7.0, 30.0]),
)
def test_lines_are_those_of_a_loop(shape, seed, filled, spacing, half_mm):
    mask = np.random.default_rng(seed).random(shape) < filled
    found = goes_on(mask, half_mm, 0.1, spacing)
    assert np.array_equal(found, line_oracle(~mask, half_mm, spacing))


def test_lines_on_coarser_blocks_see_the_majority_of_a_block():
    mask = np.zeros((8, 8, 8), bool)
    mask[:, :4] = True
    mask[::2, 5] = True
    found = goes_on(mask, 4.0, 4.0, (2.0, 2.0, 2.0))
    assert not found[:, :4].any()
    assert found[:, 4:].all()
