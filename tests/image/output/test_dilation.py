"""Dilation against scipy's, by a body drawn voxel by voxel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lungprep.image.output.dilation import dilate


def body(radius, spacing, shape):
    """The voxels within `radius`, from their distances alone."""
    reach = [int(radius / s) + 1 for s in spacing]
    offsets = np.indices([2 * r + 1 for r in reach]) - np.reshape(reach, (3, 1, 1, 1))
    along = np.abs(offsets) * np.reshape(spacing, (3, 1, 1, 1))
    distance = along.sum(axis=0) if shape == "diamond" else np.sqrt((along**2).sum(axis=0))
    return distance <= radius + 1e-6


def seeds(size, voxels):
    mask = np.zeros(size, bool)
    for voxel in voxels:
        mask[tuple(v % n for v, n in zip(voxel, size, strict=True))] = True
    return mask


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(*[st.integers(1, 19)] * 3),
    voxels=st.lists(st.tuples(*[st.integers(0, 18)] * 3), max_size=4),
    radius=st.sampled_from([0, 0.5, 1, 2.4, 3, 5, 7]),
    spacing=st.tuples(*[st.sampled_from([0.7, 1.0, 1.25, 2.5, 8.0])] * 3),
    shape=st.sampled_from(["ball", "diamond"]),
)
def test_equals_scipy_by_a_drawn_body(size, voxels, radius, spacing, shape):
    mask = seeds(size, voxels)
    before = mask.copy()
    found = dilate(mask, radius, spacing, shape)
    structure = body(radius, spacing, shape)
    np.testing.assert_array_equal(found, ndimage.binary_dilation(mask, structure=structure))
    assert found.dtype == bool
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_a_diamond_is_steps_to_the_six_neighbours(steps):
    mask = seeds((30, 25, 41), [(3, 4, 5), (15, 12, 20), (29, 0, 40), (14, 12, 22)])
    cross = ndimage.generate_binary_structure(3, 1)
    np.testing.assert_array_equal(
        dilate(mask, steps, (1.0, 1.0, 1.0), "diamond"),
        ndimage.binary_dilation(mask, structure=cross, iterations=steps),
    )


def test_a_crop_loses_nothing():
    mask = seeds((30, 30, 30), [(12, 14, 15), (16, 15, 12)])
    whole = dilate(mask, 6, (1.0, 1.0, 1.0), "ball")
    box = (slice(10, 20), slice(9, 30), slice(5, 18))
    cropped = dilate(np.ascontiguousarray(mask[box]), 6, (1.0, 1.0, 1.0), "ball")
    np.testing.assert_array_equal(whole[box], cropped)
