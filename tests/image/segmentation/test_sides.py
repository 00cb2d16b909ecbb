from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.parting import seam as cheapest_path
from lungprep.image.segmentation.sides import lung_sides

tolls = arrays(np.float32, (2, 4, 5), elements=st.integers(0, 20).map(float))


def cost(toll, path):
    bends = np.abs(np.diff(path))
    assert (bends <= 2).all()
    return toll[np.arange(len(path)), path].sum() + 0.1 * bends.sum()


@settings(max_examples=30, deadline=None)
@given(tolls)
def test_seam_is_the_cheapest_of_all_paths(toll):
    seam = cheapest_path(toll)
    for slice_, path in zip(toll, seam, strict=True):
        paths = (p for p in product(range(5), repeat=4) if (np.abs(np.diff(p)) <= 2).all())
        assert np.isclose(cost(slice_, path), min(cost(slice_, list(p)) for p in paths))


def blocks_of(field):
    return Blocks(
        np.where(field > 0, -860, 40).astype(np.int16), (1, 1, 1), (2.0, 2.0, 2.0), field.shape
    )


def empty():
    return np.zeros((30, 40, 120), np.uint8)


def test_two_lungs_beside_a_shifted_trachea():
    field = empty()
    field[:, :, 50:75], field[:, :, 85:115] = 3, 2
    labels = lung_sides(blocks_of(field), field, middle_mm=60.0)
    assert (labels[field == 3] == RIGHT).all()
    assert (labels[field == 2] == LEFT).all()


def test_one_lung_keeps_its_side_though_it_bulges_across_the_middle():
    field = empty()
    field[:, :, 20:72] = 2
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    assert (labels[field == 2] == RIGHT).all()


def test_joined_lungs_part_at_the_narrow_place():
    field = empty()
    field[:, :, 10:55], field[:, :, 65:110], field[10:20, :3, 55:65] = 2, 2, 2
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    assert (labels[:, :, 10:55] == RIGHT).all()
    assert (labels[:, :, 65:110] == LEFT).all()
    assert ((labels > 0) == (field > 0)).all()


def test_a_tongue_across_the_middle_stays_with_its_lung():
    """Too thin and too long for the path to go around: its tip is given back."""
    field = empty()
    field[:, :, 10:55], field[:, :, 75:110], field[10:20, :3, 55:75] = 2, 2, 2
    field[:, 20:22, 55:73] = 2
    labels = lung_sides(blocks_of(field), field, middle_mm=126.0)
    assert (labels[:, 20:22, 55:73] == RIGHT).all()
    assert (labels[:, :, 75:110] == LEFT).all()


def test_fragments_follow_the_nearest_lung():
    field = empty()
    field[:, :, 10:50], field[:, :, 70:110] = 2, 3
    field[5:8, 5:8, 52:55], field[5:8, 5:8, 66:68] = 1, 1
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    assert (labels[5:8, 5:8, 52:55] == RIGHT).all()
    assert (labels[5:8, 5:8, 66:68] == LEFT).all()


def test_an_even_split_parts_a_wide_junction():
    """No single lung lies so evenly on both sides of the trachea."""
    field = empty()
    field[:, :, 10:110] = 2
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    right, left = (np.count_nonzero(labels == side) for side in (RIGHT, LEFT))
    assert 0.4 < right / (right + left) < 0.6
    assert ((labels > 0) == (field > 0)).all()
    assert (labels[:, :, 10:45] == RIGHT).all()
    assert (labels[:, :, 75:110] == LEFT).all()


def test_pleura_parts_a_wide_junction_off_the_middle():
    field = empty()
    field[:, :, 10:110] = 2
    blocks = blocks_of(field)
    blocks.hu[:, :, 70] = -500
    labels = lung_sides(blocks, field, middle_mm=120.0)
    assert (labels[:, :, 10:70] == RIGHT).all()
    assert (labels[:, :, 72:110] == LEFT).all()


def test_one_lung_far_off_the_middle_is_not_cut_at_a_wide_place():
    field = empty()
    field[:, :, 10:75] = 2
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    assert (labels[field == 2] == RIGHT).all()


def test_two_lungs_that_both_span_the_middle_are_not_cut():
    """As with a mediastinum that is turned: one lies before the other."""
    field = empty()
    field[:, :18, 10:90], field[:, 22:, 30:110] = 2, 3
    labels = lung_sides(blocks_of(field), field, middle_mm=120.0)
    assert (labels[field == 2] == RIGHT).all()
    assert (labels[field == 3] == LEFT).all()
