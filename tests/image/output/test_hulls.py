"""Hulls of slices against scikit-image's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import convex_hull_image

from lungprep.image.output.hulls import convex_hull, fill_hulls


def blob(seed, size=(60, 70)):
    """A smooth, ragged region such as a lung's slice."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=size), 5)
    y, x = np.ogrid[: size[0], : size[1]]
    return noise - 0.002 * np.hypot(y - size[0] / 2, x - size[1] / 2) > 0


@settings(deadline=None, max_examples=60)
@given(pixels=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 24)), min_size=1, max_size=30))
def test_any_pixels_have_scikit_images_hull(pixels):
    slice_ = np.zeros((20, 25), bool)
    for pixel in pixels:
        slice_[pixel] = True
    np.testing.assert_array_equal(convex_hull(slice_), convex_hull_image(slice_))


@pytest.mark.parametrize("seed", range(8))
def test_lungs_have_scikit_images_hull(seed):
    slice_ = blob(seed)
    np.testing.assert_array_equal(convex_hull(slice_), convex_hull_image(slice_))


@pytest.mark.parametrize("growth", [1.0, 1.3, 1.5, 2.0, 100.0])
def test_slices_that_would_grow_too_much_stay(growth):
    mask = np.stack([blob(seed) for seed in range(8)] + [np.zeros((60, 70), bool)])
    expected = []
    for slice_ in mask:
        hull = convex_hull_image(slice_) if slice_.any() else slice_
        expected.append(slice_ if hull.sum() > growth * slice_.sum() else hull)
    before = mask.copy()
    np.testing.assert_array_equal(fill_hulls(mask, growth), expected)
    np.testing.assert_array_equal(mask, before)


def test_at_the_limit_the_hull_is_taken():
    corner = np.zeros((1, 5, 5), bool)
    corner[0, 0:2, 0] = corner[0, 0, 0:2] = True
    corner[0, 1, 1] = True
    corner[0, 0, 2] = corner[0, 2, 0] = True
    ratio = convex_hull_image(corner[0]).sum() / corner.sum()
    np.testing.assert_array_equal(fill_hulls(corner, ratio)[0], convex_hull_image(corner[0]))
