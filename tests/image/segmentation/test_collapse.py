import numpy as np
import pytest
from segmentation_shapes import blocks_of, ellipsoid, share

from lungprep.image.segmentation.collapse import include_collapsed
from lungprep.image.segmentation.morphology import dilate

SHAPE = (60, 80, 150)
RIGHT, LEFT = 1, 2
# Columns of the lungs; the chest's middle lies between them.
COLUMNS = {RIGHT: slice(15, 65), LEFT: slice(85, 135)}
BACK = 60


def chest(ribs=True, **missing):
    """Two boxes of lung before a plate of ribs; what is missing at their backs is the gap's HU.

    `right=40` leaves the hind 20 rows of the right lung to tissue of 40 HU.
    """
    hu = np.full(SHAPE, 40, np.int16)
    solid = np.zeros(SHAPE, np.uint8)
    gap = np.zeros(SHAPE, bool)
    for side, name in ((RIGHT, "right"), (LEFT, "left")):
        last = BACK - 20 if name in missing else BACK
        solid[5:55, 15:last, COLUMNS[side]] = side
        gap[5:55, last:BACK, COLUMNS[side]] = True
        hu[5:55, last:BACK, COLUMNS[side]] = missing.get(name, 40)
    hu[solid > 0] = -860
    if ribs:
        hu[:, BACK + 2 : BACK + 5] = 500
    return hu, solid, gap


def whole(hu, solid, barred=None):
    nothing = np.zeros(SHAPE, bool)
    found = include_collapsed(solid, nothing if barred is None else barred, blocks_of(hu))
    assert np.array_equal(found[solid > 0], solid[solid > 0])
    return found


@pytest.mark.parametrize("hu", [40, 60, 100, -300, -200])
@pytest.mark.parametrize(("side", "name"), [(RIGHT, "right"), (LEFT, "left")])
def test_dense_lung_comes_in_where_the_other_one_is_sound(side, name, hu):
    values, solid, gap = chest(**{name: hu})
    found = whole(values, solid)
    # Near the middle lie the spine and, on the left, the aorta.
    lateral = gap.copy()
    lateral[:, :, 75 - {RIGHT: 12, LEFT: 20}[side] : 75 + {RIGHT: 12, LEFT: 20}[side]] = False
    assert share(found == side, lateral) > 0.9
    # A block around, and lower on the left, where the diaphragm is.
    room = dilate(gap, 2.0, (2.0, 2.0, 2.0))
    room[:5] |= (side == LEFT) & room[5]
    assert not (found[~room] != solid[~room]).any()
    assert np.array_equal(found, whole(values, solid))


@pytest.mark.parametrize("hu", [0, 10, 20, -100, -30])
def test_fluid_and_fat_stay_out(hu):
    values, solid, _ = chest(left=hu)
    assert np.array_equal(whole(values, solid), solid)


def test_each_piece_is_judged_by_its_own_density():
    values, solid, gap = chest(right=10)
    values[5:25, BACK - 20 : BACK, COLUMNS[RIGHT]] = 60
    barred = np.zeros(SHAPE, bool)
    barred[25:27] = True
    found = whole(values, solid, barred)
    dense = gap & (values == 60)
    dense[:, :, 62:] = False
    # The right dome of the diaphragm is the higher one.
    dense[:9] = False
    assert share(found == RIGHT, dense) > 0.9
    assert not found[gap & (values == 10)].any()


def test_bone_in_the_gap_is_the_rib():
    values, solid, _ = chest(right=60)
    values[:, BACK - 16 : BACK - 14, COLUMNS[RIGHT]] = 300
    assert np.array_equal(whole(values, solid), solid)


@pytest.mark.parametrize("missing", [{}, {"right": 60, "left": 60}])
def test_two_sound_lungs_and_two_sick_ones_stay_as_they_are(missing):
    values, solid, _ = chest(**missing)
    assert np.array_equal(whole(values, solid), solid)


def test_without_ribs_nothing_is_known():
    values, solid, _ = chest(ribs=False, right=60)
    assert np.array_equal(whole(values, solid), solid)


@pytest.mark.parametrize("absent", [RIGHT, LEFT, None])
def test_one_lung_or_none_has_no_mirror_image(absent):
    values, solid, _ = chest(right=60)
    solid[(solid == absent) | (absent is None)] = 0
    assert np.array_equal(whole(values, solid), solid)


def test_lungs_that_are_not_side_by_side_have_none_either():
    values, solid, _ = chest(right=60)
    narrow = np.zeros_like(solid)
    narrow[5:55, 15:40, 60:75], narrow[5:55, 15:BACK, 78:93] = RIGHT, LEFT
    assert np.array_equal(whole(values, narrow), narrow)


def test_no_lung_where_it_is_barred_nor_thin_rinds():
    values, solid, gap = chest(right=60)
    barred = gap & (np.arange(SHAPE[0]) < 30)[:, np.newaxis, np.newaxis]
    found = whole(values, solid, barred)
    assert not found[barred].any()
    assert (found[gap & ~barred] == RIGHT).any()
    values, solid, _ = chest()
    solid[5:55, BACK - 3 : BACK, COLUMNS[RIGHT]] = 0
    assert np.array_equal(whole(values, solid), solid)


def test_a_small_core_is_no_lung():
    values, solid, _ = chest(right=10)
    values[ellipsoid(SHAPE, (60, 2 * BACK - 20, 80), 12)] = 60
    assert np.array_equal(whole(values, solid), solid)


@pytest.mark.parametrize(
    ("slices", "radius", "completed"),
    [((40, 55), 16, True), ((25, 40), 16, False), ((40, 55), 8, False)],
    ids=["at the apex", "lower, where the hilum is", "a small one"],
)
def test_only_a_large_lesion_of_an_apex_is_completed(slices, radius, completed):
    """A disc of dense lung at the wall, of which the half that dents the lung was taken in."""
    values, solid, _ = chest()
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    low, high = slices
    disc = (z >= low) & (z < high) & ((y - 38) ** 2 + (x - 15) ** 2 < radius**2) & (x >= 15)
    values[disc] = 60
    lesion = disc & (x >= 15 + radius // 4)
    solid[disc & ~lesion] = 0
    found = include_collapsed(solid, np.zeros(SHAPE, bool), blocks_of(values), lesion)
    added = (found == RIGHT) & (solid == 0)
    assert not (added & ~dilate(disc, 4.0, (2.0, 2.0, 2.0))).any()
    assert (share(added, disc & ~lesion) > 0.8) == completed
    assert added.any() == completed


@pytest.mark.parametrize(("shift_mm", "added"), [(10.0, True), (20.0, False), (-20.0, False)])
def test_lungs_beside_a_shifted_trachea_are_no_mirror_images(shift_mm, added):
    values, solid, _ = chest(right=60)
    middle_mm = 74.5 * 2.0 + shift_mm
    nothing = np.zeros(SHAPE, bool)
    found = include_collapsed(solid, nothing, blocks_of(values), None, middle_mm)
    assert (found != solid).any() == added
