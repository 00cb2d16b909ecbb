"""Cropping, against a loop over all voxels."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.image.export import export
from lungprep.image.output.crop import lung_box
from lungprep.image.output.options import ExportOptions
from lungprep.image.volume import Grid, Volume, extent
from lungprep.publish.publishing import npy


def sample(shape=(12, 14, 16), spacing=(2.0, 1.0, 0.7)):
    rng = np.random.default_rng(0)
    hu = rng.integers(-1024, 3071, shape).astype(np.int16)
    labels = np.zeros(shape, np.uint8)
    labels[4:7, 6:9, 3:5] = 1
    labels[5:8, 6:8, 10:13] = 2
    return Volume(hu, Grid(shape, spacing, (5.0, 6.0, 7.0))), labels


@given(
    voxels=st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=5),
    margin=st.tuples(*[st.tuples(*[st.floats(0, 20)] * 2)] * 3),
)
def test_box_equals_a_loop_over_voxels(voxels, margin):
    labels = np.zeros((10, 10, 10), np.uint8)
    grid = Grid((10, 10, 10), (2.0, 1.0, 0.7), (0.0, 0.0, 0.0))
    for voxel in voxels:
        labels[voxel] = 1
    start, stop = lung_box(extent(labels), grid, margin)
    for axis, spacing in enumerate(grid.spacing_mm):
        low = min(v[axis] for v in voxels)
        high = max(v[axis] for v in voxels) + 1
        below, above = (int(np.ceil(mm / spacing)) for mm in margin[axis])
        assert (start[axis], stop[axis]) == (max(0, low - below), min(10, high + above))


def test_voxels_keep_value_and_place():
    volume, labels = sample()
    product = export(volume, labels)
    assert product.voxels.shape == product.lungs.shape == product.grid.shape
    assert product.voxels.flags.c_contiguous
    for index in np.ndindex(product.grid.shape):
        before = tuple(i + s for i, s in zip(index, product.start, strict=True))
        assert product.voxels[index] == volume.hu[before]
        assert product.lungs[index] == labels[before]
    last = tuple(n - 1 for n in product.grid.shape)
    before = tuple(n - 1 for n in product.stop)
    np.testing.assert_allclose(
        product.grid.position_mm(last), volume.grid.position_mm(before), atol=1e-9
    )
    assert np.count_nonzero(product.lungs) == np.count_nonzero(labels)


def test_uncropped_keeps_the_grid():
    volume, labels = sample()
    product = export(volume, labels, ExportOptions(crop_margin_mm="keep"))
    assert product.grid == volume.grid
    assert (product.start, product.stop) == ((0, 0, 0), (12, 14, 16))
    np.testing.assert_array_equal(product.voxels, volume.hu)


@pytest.mark.parametrize("value", [-1024, 0, 170])
def test_outside_takes_the_fill_and_lungs_keep_their_hu(value):
    volume, labels = sample()
    product = export(volume, labels, ExportOptions(outside_hu=value, crop_margin_mm="keep"))
    assert product.voxels.dtype == np.int16
    assert (product.voxels[labels == 0] == value).all()
    np.testing.assert_array_equal(product.voxels[labels > 0], volume.hu[labels > 0])


def test_npy_is_what_numpy_loads_without_pickle():
    volume, _ = sample()
    loaded = np.load(io.BytesIO(npy(volume.hu)), allow_pickle=False)
    np.testing.assert_array_equal(loaded, volume.hu)
    assert loaded.dtype == np.int16
