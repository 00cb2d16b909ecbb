import cc3d
import numpy as np
import pytest
from segmentation_shapes import blocks_of, ellipsoid, share

from lungprep.image.segmentation.completion import smooth_surfaces

SHAPE = (70, 80, 60)  # blocks of 2 mm
RIGHT, LEFT = 1, 2
LUNG = ellipsoid(SHAPE, (70, 80, 60), (60, 60, 45))


def smoothed(solid, aerated, lesions=None, barred=None):
    blocks = blocks_of(np.full(SHAPE, 40, np.int16))
    nothing = np.zeros(SHAPE, bool)
    return smooth_surfaces(
        solid.astype(np.uint8),
        aerated.astype(np.uint8),
        nothing if lesions is None else lesions,
        nothing if barred is None else barred,
        blocks,
    )


def test_aerated_lung_stays_as_it_is():
    smooth, level = smoothed(LUNG * LEFT, LUNG * LEFT)
    assert np.array_equal(smooth, LUNG * LEFT)
    assert not level[~LUNG].any()


@pytest.mark.parametrize("lesion", [False, True])
def test_corners_of_what_was_taken_in_are_rounded_and_its_body_stays(lesion):
    box = np.zeros(SHAPE, bool)
    box[20:45, 55:75, 20:40] = True
    added = box & ~LUNG
    smooth, _ = smoothed((LUNG | box) * RIGHT, LUNG * RIGHT, added if lesion else None)
    assert not smooth[20, 74, 20] and not smooth[44, 74, 39]
    assert smooth[32, 66, 30] == RIGHT
    assert share(smooth == RIGHT, added) > (0.85 if lesion else 0.75)
    assert share(smooth == RIGHT, LUNG) == 1


def test_islands_go_and_each_lung_is_one_piece():
    island = ellipsoid(SHAPE, (20, 20, 20), 12)
    assert not (island & LUNG).any()
    smooth, _ = smoothed((LUNG | island) * RIGHT, (LUNG | island) * RIGHT)
    assert np.array_equal(smooth > 0, LUNG)
    assert cc3d.connected_components(smooth, connectivity=26).max() == 1


def test_a_large_part_of_a_lung_that_lies_apart_stays():
    apart = LUNG & (abs(np.arange(SHAPE[0]) - 25) > 2)[:, np.newaxis, np.newaxis]
    smooth, _ = smoothed(apart * RIGHT, apart * RIGHT)
    assert np.array_equal(smooth > 0, apart)


def test_nothing_grows_into_barred_blocks_nor_the_other_lung():
    solid = LUNG * np.where(np.arange(SHAPE[2]) < 30, RIGHT, LEFT)
    hole = ellipsoid(SHAPE, (70, 80, 60), 14)
    aerated = np.where(hole, 0, solid)
    barred = hole & (np.arange(SHAPE[1]) < 40)[:, np.newaxis]
    smooth, _ = smoothed(np.where(barred, 0, solid), aerated, barred=barred)
    assert not smooth[barred].any()
    assert np.array_equal(smooth[~barred], solid[~barred])


def test_an_absent_lung_stays_absent():
    smooth, level = smoothed(np.zeros(SHAPE), np.zeros(SHAPE))
    assert not smooth.any() and not level.any()
