import numpy as np
import pytest
from scipy import ndimage

from lungprep.image.segmentation.blocks import (
    block_columns,
    block_labels,
    block_means,
    fine_slice,
    fine_slices,
    smoothed,
)
from lungprep.image.volume import Grid, Volume

SHAPES = [
    ((12, 10, 8), (1.0, 1.0, 1.0)),
    ((11, 9, 7), (0.7, 1.0, 1.2)),
    ((4, 9, 9), (5.0, 0.6, 0.6)),
]


def random_volume(shape, spacing):
    hu = np.random.default_rng(1).integers(-1024, 500, shape).astype(np.int16)
    return Volume(hu, Grid(shape, spacing, (0.0, 0.0, 0.0)))


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
def test_block_means_within_one_hu(shape, spacing):
    volume = random_volume(shape, spacing)
    blocks = block_means(volume, 2.0)
    kz, ky, kx = blocks.size
    assert blocks.size == tuple(max(1, round(2.0 / s)) for s in spacing)
    assert blocks.spacing_mm == tuple(s * k for s, k in zip(spacing, blocks.size, strict=True))
    short = [(0, -n % k) for n, k in zip(shape, blocks.size, strict=True)]
    padded = np.pad(volume.hu.astype(float), [(0, 0), *short[1:]], mode="edge")
    for z, y, x in np.ndindex(blocks.hu.shape):
        block = padded[z * kz : (z + 1) * kz, y * ky : (y + 1) * ky, x * kx : (x + 1) * kx]
        assert abs(blocks.hu[z, y, x] - block.mean()) <= 1


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
def test_fine_slice_repeats_blocks(shape, spacing):
    blocks = block_means(random_volume(shape, spacing), 2.0)
    labels = np.random.default_rng(2).integers(0, 3, blocks.hu.shape).astype(np.uint8)
    expected = labels
    for axis, k in enumerate(blocks.size):
        expected = np.repeat(expected, k, axis=axis)
    for z in range(shape[0]):
        assert np.array_equal(fine_slice(labels, blocks, z), expected[z, : shape[1], : shape[2]])


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
def test_fine_slices_interpolate_the_surface(shape, spacing):
    blocks = block_means(random_volume(shape, spacing), 2.0)
    mask = np.random.default_rng(3).random(blocks.hu.shape) > 0.5
    at = [(np.arange(n) + 0.5) / k - 0.5 for n, k in zip(shape, blocks.size, strict=True)]
    level = ndimage.map_coordinates(
        mask.astype(float), np.meshgrid(*at, indexing="ij"), order=1, mode="nearest"
    )
    fine = np.stack(list(fine_slices(mask * np.uint8(254), blocks)))
    assert fine.shape == shape
    clear = abs(level - 0.5) > 0.02
    assert np.array_equal(fine[clear], (level > 0.5)[clear])


def test_crop_covers_the_voxels_of_its_blocks():
    blocks = block_means(random_volume((11, 9, 7), (1.0, 1.0, 1.0)), 2.0)
    cropped, covered = blocks.crop((slice(1, 6), slice(0, 2), slice(2, 4)))
    assert covered == (slice(2, 11), slice(0, 4), slice(4, 7))
    assert cropped.fine_shape == (9, 4, 3)
    assert np.array_equal(cropped.hu, blocks.hu[1:6, 0:2, 2:4])


def test_block_columns_hold_any_marked_column():
    blocks = block_means(random_volume((2, 5, 4), (1.0, 1.0, 1.0)), 2.0)
    columns = np.zeros((5, 4), bool)
    columns[4, 1] = True
    assert np.argwhere(block_columns(columns, blocks)).tolist() == [[2, 0]]


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
def test_block_labels_are_those_in_the_middle(shape, spacing):
    blocks = block_means(random_volume(shape, spacing), 2.0)
    labels = np.random.default_rng(4).integers(0, 3, shape).astype(np.uint8)
    found = block_labels(labels, blocks)
    assert found.shape == blocks.hu.shape
    for block in np.ndindex(found.shape):
        middle = [
            min(i * k + k // 2, n - 1) for i, k, n in zip(block, blocks.size, shape, strict=True)
        ]
        assert found[block] == labels[tuple(middle)]
    repeated = np.stack([fine_slice(found, blocks, z) for z in range(shape[0])])
    assert np.array_equal(block_labels(repeated, blocks), found)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 4), (2, 3, 6), (7, 6, 5)])
def test_smoothed_is_a_mean_over_three_blocks_along_each_axis(shape):
    hu = np.random.default_rng(5).integers(-1024, 500, shape).astype(np.int16)
    mean = ndimage.uniform_filter(hu.astype(float), (0, 3, 3), mode="mirror")
    expected = mean.copy()
    for z in range(1, shape[0] - 1):
        expected[z] = mean[z - 1 : z + 2].mean(axis=0)
    assert np.allclose(smoothed(hu), expected, atol=0.01)
    assert np.allclose(smoothed(np.ones(shape, bool)), 1.0)
