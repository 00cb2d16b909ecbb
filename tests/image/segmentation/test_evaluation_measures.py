"""The evaluation's own measures against counts by hand."""

import numpy as np
import pytest

from lungprep.image.volume import Grid, Volume
from lungs.anatomy import Region
from lungs.criteria import criteria
from lungs.effects import circle, noise, scanned
from lungs.fitted import FITTED
from lungs.measures import covered, dice, included, share, swapped
from lungs.painted import painted, surface
from lungs.painted_disease import dense_base
from lungs.perturbations import X, Y, crop, flip, nearest, rotate
from lungs.real import RealCase, rib_cage
from lungs.rendering import Scene, render
from lungs.report import between
from lungs.scoring import Score
from lungs.shapes import shape
from lungs.thorax import Thorax


def mask(*true):
    return np.isin(np.arange(10), true)


def test_dice_counts_the_overlap_twice():
    assert dice(mask(1, 2, 3), mask(3, 4, 5, 6, 7)) == 2 * 1 / 8
    assert dice(mask(1), mask(1)) == 1
    assert dice(mask(1), mask(2)) == 0
    assert dice(mask(), mask()) == 1


def test_swapped_is_the_share_of_lung_with_the_other_label():
    truth = np.array([0, 1, 1, 1, 2, 2, 2, 2, Region.HEART])
    found = np.array([1, 1, 0, 2, 2, 2, 1, 0, 2])
    assert swapped(truth, found) == 2 / 7


def test_shares_of_lesions():
    shares = covered([mask(1, 2, 3, 4), mask(5, 6), mask(), mask(9)], mask(1, 2, 5))
    assert shares == [0.5, 0.5, 0.0]
    assert included(shares) == 2 / 3
    assert included([]) == 1
    assert share(mask(1), mask()) == 0


def scene(shape=(40, 50, 60), spacing=(2.0, 2.0, 2.0)):
    truth = np.zeros(shape, np.uint8)
    truth[8:32, 10:40, 8:26], truth[8:32, 10:40, 34:54] = Region.RIGHT, Region.LEFT
    hu = np.where(truth > 0, -860, 40).astype(np.int16)
    return Scene(Volume(hu, Grid(shape, spacing, (5.0, -7.0, 11.0))), truth)


def test_painted_lesions_lie_in_the_lungs_apart_and_change_nothing_else():
    before = scene()
    after = painted(3, count=6, diameters_mm=(5, 14), hu=900)(before)
    changed = after.volume.hu != before.volume.hu
    assert len(after.lesions) == 6
    total = np.sum(after.lesions, axis=0)
    assert total.max() == 1
    assert not total[before.truth == 0].any()
    assert changed[total > 0].all()
    assert after.volume.hu[changed].min() > 700
    assert all(surface_near(before, lesion) for lesion in after.lesions)
    again = painted(3, count=6, diameters_mm=(5, 14), hu=900)(before)
    assert np.array_equal(again.volume.hu, after.volume.hu)


def surface_near(before, lesion):
    """Whether a lesion holds or touches a voxel on the lungs' surface."""
    rim = surface(before.truth > 0)
    places = np.argwhere(lesion)
    return np.abs(rim[:, None] - places[None]).max(axis=2).min() <= 1


def test_a_flip_moves_the_lungs_and_names_them_anew():
    before = scene()
    after = flip(X)(before)
    assert np.flatnonzero(after.truth[20, 20] == Region.RIGHT).tolist() == [*range(6, 26)]
    twice = flip(X)(after)
    assert np.array_equal(twice.truth, before.truth)
    assert np.array_equal(twice.volume.hu, before.volume.hu)
    assert np.array_equal(flip(Y)(before).truth, before.truth[:, ::-1])


def test_two_quarter_turns_are_a_half_and_both_flips():
    before = scene(spacing=(3.0, 2.0, 1.0))
    quarter = rotate(1)(before)
    assert quarter.volume.grid.spacing_mm == (3.0, 1.0, 2.0)
    assert not quarter.sided
    assert np.array_equal(rotate(2)(before).truth, flip(X, Y)(before).truth)


def test_crops_and_circles_take_the_truth_along():
    before = scene()
    half = crop((slice(None), slice(None), slice(50, None)))(before)
    assert set(np.unique(half.truth)) == {0, Region.LEFT}
    assert half.volume.grid.origin_mm == (65.0, -7.0, 11.0)
    x, y, _ = before.volume.grid.position_mm((0, 24.5, 29.5))
    cut = noise(50)(circle(40.0, (x, y))(before))
    outside = cut.volume.hu[0] == -1024
    assert outside.mean() == pytest.approx(1 - np.pi * 20**2 / (50 * 60), abs=0.01)
    assert not cut.truth[:, outside].any()


def test_nearest_truth_of_a_coarser_grid():
    before = scene()
    grid = Grid((20, 25, 30), (4.0, 4.0, 4.0), (5.0, -7.0, 11.0))
    assert np.array_equal(nearest(before, grid), before.truth[::2, ::2, ::2])


def test_the_rib_cage_is_the_hull_of_the_bones():
    hu = np.full((9, 60, 60), 40, np.int16)
    hu[4, 20:23, 10:13] = hu[4, 20:23, 47:50] = hu[4, 45:48, 28:31] = 500
    inside = rib_cage(Volume(hu, Grid(hu.shape, (2.0, 2.0, 2.0), (0, 0, 0))))
    assert inside[:, 30, 30].all()
    assert not inside[:, 10].any()
    assert not inside[:, 45, 12].any()


def test_a_rendered_thorax_is_the_mean_of_its_points():
    """By brute force, at some voxels: 8 points in each."""
    phantom = Thorax(trees=False).phantom()
    box = ((-150.0, 0.0, -40.0), (150.0, 30.0, -28.0))
    found = render(phantom, (2.0, 2.0, 2.0), box)
    z, y, x = found.truth.shape
    assert (z, y, x) == (6, 15, 150)
    origin = np.array(box[0])[:, None]
    points = np.stack(np.meshgrid(*(np.arange(n * 2) + 0.5 for n in (x, y, z)), indexing="ij"))
    _, labels = phantom.at(*(points.reshape(3, -1) + origin))
    labels = labels.reshape(x, 2, y, 2, z, 2).transpose(4, 2, 0, 5, 3, 1).reshape(z, y, x, 8)
    for side in (Region.RIGHT, Region.LEFT):
        assert np.array_equal(found.truth == side, (labels == side).sum(axis=3) > 4)
    whole = (labels == Region.HEART).all(axis=3)
    assert abs(found.volume.hu[whole].mean() - 40) < 1


def test_a_table_stands_between_its_marks():
    page = "a\n<!-- x: make lungs -->\nold\n<!-- end of x -->\nb\n"
    assert between(page, "x", "new") == (
        "a\n<!-- x: make lungs -->\n\nnew\n\n<!-- end of x -->\nb\n"
    )
    assert between(between(page, "x", "new"), "x", "new") == between(page, "x", "new")
    with pytest.raises(ValueError, match="expected <!-- y: make lungs"):
        between(page, "y", "new")


def test_shapes_tell_walls_pieces_and_pockets_of_gas():
    """A box cut through tissue, beside a lung whose surface is an edge of the image."""
    before = scene(spacing=(1.0, 1.0, 1.0))
    hu, labels = before.volume.hu.copy(), np.where(before.truth <= 2, before.truth, 0)
    grid = before.volume.grid
    assert shape(hu, labels, grid) == (0, 0, 0)
    labels[12:28, 12:38, 26:30] = Region.RIGHT
    found = shape(hu, labels, grid)
    # One voxel less on each side of the face: there the smoothed image sees the lung's edge.
    assert found.wall_cm2 == pytest.approx(16 * 26 / 100, abs=0.1)
    labels[0:5, 0:5, 0:5] = Region.LEFT
    hu[12:28, 14:34, 36:50] = -1000
    found = shape(hu, labels, grid)
    assert found.pieces == 1
    # The mean over five voxels and the erosion by two take four off each side.
    assert found.gas_ml == pytest.approx(8 * 12 * 6 / 1000)


def test_a_coarse_scan_keeps_the_fine_truth_and_the_places():
    before = scene(shape=(40, 48, 60), spacing=(1.0, 1.0, 1.0))
    after = scanned((5.0, 3.0, 3.0))(before)
    assert after.volume.grid.spacing_mm == (1.0, 1.0, 1.0)
    inside = after.truth == Region.RIGHT
    assert abs(np.count_nonzero(inside) / np.count_nonzero(before.truth == Region.RIGHT) - 1) < 0.1
    assert dice(inside | (after.truth == Region.LEFT), after.volume.hu < -410) > 0.9


def test_a_painted_base_fills_its_share_and_leaves_the_truth():
    before = scene(shape=(60, 50, 60))
    after = dense_base(Region.LEFT, share=0.25)(before)
    left = before.truth == Region.LEFT
    dense = after.volume.hu[left] > -200
    assert dense.mean() == pytest.approx(0.25, abs=0.05)
    assert np.array_equal(after.truth, before.truth)
    assert (after.volume.hu[before.truth == Region.RIGHT] < -700).all()


def test_doubt_is_judged_on_cases_that_it_was_not_fitted_on(tmp_path):
    names = [*(f"x{i}" for i in range(10)), *sorted(FITTED)[:10]]
    cases = {name: RealCase(tmp_path) for name in names}
    wrong = set(names[10:])
    scores = [
        Score(name, right=1 - i / 100, doubt=(1 - i / 20) if name in wrong else i / 20)
        for i, name in enumerate(names)
    ]
    (ranking,) = [c for c in criteria(scores, cases) if c.what.startswith("doubt")]
    assert (ranking.measured, ranking.met) == ("1.00 (of 10)", True)


def test_criteria_name_the_worst_case(tmp_path):
    cases = {name: RealCase(tmp_path) for name in ("r/noise-20", "r/noise-80", "r/flip-x")}
    scores = [
        Score("r/noise-20", ml=(1000.0, 990.0), true_ml=(1000.0, 1000.0)),
        Score("r/noise-80", ml=(1020.0, 1000.0), true_ml=(1000.0, 1000.0)),
        Score("r/flip-x", ml=(1001.0, 1001.0), true_ml=(1000.0, 1000.0)),
    ]
    found = {c.what: c for c in criteria(scores, cases)}
    noisy = found["volume change by noise and kernel, real scans"]
    assert (noisy.measured, noisy.met) == ("2.00% (r/noise-80, of 2)", False)
    turned = found["volume change by flips and quarter turns, real scans"]
    assert (turned.measured, turned.met) == ("0.10% (r/flip-x, of 1)", True)
