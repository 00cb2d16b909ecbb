import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_shapes import ISOTROPIC, ellipsoid

from lungprep.image.segmentation.pleural_space import backs, base_step_mm, recess_mm, rib_gap_mm

SPACINGS = [ISOTROPIC, (5.0, 1.5, 2.0), (20.0, 1.0, 1.0)]


@st.composite
def scans(draw):
    shape = draw(st.tuples(*[st.integers(1, 8)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    hu = np.where(random.random(shape) < draw(st.sampled_from([0.0, 0.05, 0.3])), 400, 40)
    lung = random.random(shape) < draw(st.sampled_from([0.0, 0.2, 0.7]))
    return hu.astype(np.int16), lung, draw(st.sampled_from(SPACINGS))


@settings(max_examples=60, deadline=None)
@given(scans())
def test_backs_and_ribs_are_those_of_a_loop(scan):
    hu, lung, spacing = scan
    found = backs(hu, lung, spacing)
    depth, rows, columns = hu.shape
    for z in range(depth):
        slices = [i for i in range(depth) if abs(i - z) * spacing[0] <= 12.0]
        for x in range(columns):
            inside = np.flatnonzero(lung[z, :, x])
            last = inside[-1] if inside.size else rows - 1
            bone = [y for y in range(last + 1, rows) if (hu[slices, y, x] > 200).any()]
            if inside.size:
                assert found.last[z, x] == last
                assert found.rib[z, x] == (bone[0] if bone else rows)
            if inside.size and bone:
                assert found.gap_mm[z, x] == pytest.approx((bone[0] - last - 1) * spacing[1])
            else:
                assert np.isnan(found.gap_mm[z, x])


def lung_before_ribs(gap_rows, rows=60):
    """A box of lung, and a plate of bone so many rows behind it."""
    lung = np.zeros((40, rows, 30), bool)
    lung[5:35, 10:40, 5:25] = True
    hu = np.full(lung.shape, 40, np.int16)
    hu[:, 40 + gap_rows : 43 + gap_rows] = 500
    return hu, lung


@pytest.mark.parametrize("gap_rows", [0, 1, 8, 15])
def test_the_gap_is_the_distance_to_the_ribs(gap_rows):
    hu, lung = lung_before_ribs(gap_rows)
    assert rib_gap_mm(hu, lung, ISOTROPIC) == 2.0 * gap_rows


def test_the_gap_is_that_of_the_worse_slices_and_the_middle_columns():
    hu, lung = lung_before_ribs(1)
    lung[5:16, 32:40] = False
    assert rib_gap_mm(hu, lung, ISOTROPIC) == 18.0
    hu, lung = lung_before_ribs(1)
    lung[:, 32:40, :9] = False
    lung[5:10, 32:40] = False
    assert rib_gap_mm(hu, lung, ISOTROPIC) == 2.0


def test_ribs_between_slices_count():
    hu, lung = lung_before_ribs(2)
    hu[np.arange(40) % 5 != 0] = 40
    assert rib_gap_mm(hu, lung, ISOTROPIC) == 4.0


def test_no_ribs_no_gap():
    hu, lung = lung_before_ribs(2)
    assert rib_gap_mm(np.full_like(hu, 40), lung, ISOTROPIC) is None
    hu[:, :, 5:20] = 40
    assert rib_gap_mm(hu, lung, ISOTROPIC) is None


@pytest.mark.parametrize("spacing", [ISOTROPIC, (5.0, 1.5, 2.0)])
def test_the_recess_is_how_much_lower_the_back_reaches(spacing):
    lung = np.zeros((40, 40, 30), bool)
    lung[20:, 5:35, 5:25] = True
    assert recess_mm(lung, spacing) == 0.0
    back = int(20 / spacing[1])
    lung[10:, 34 - back : 35, 5:25] = True
    assert recess_mm(lung, spacing) == 10 * spacing[0]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.sampled_from([0.05, 0.3, 0.9]), st.sampled_from(SPACINGS))
def test_the_recess_is_that_of_a_loop(seed, filled, spacing):
    lung = np.random.default_rng(seed).random((5, 12, 7)) < filled
    lung[2, 3, 4] = True
    lowest, behind = [], []
    for x in range(7):
        used = [y for y in range(12) if lung[:, y, x].any()]
        for y in used:
            lowest.append(np.flatnonzero(lung[:, y, x])[0])
            if (used[-1] - y) * spacing[1] <= 20.0:
                behind.append(lowest[-1])
    expected = (np.median(lowest) - np.percentile(behind, 20)) * spacing[0]
    assert recess_mm(lung, spacing) == pytest.approx(expected, abs=0.0501)


def test_a_dome_has_a_recess_and_fluid_takes_it():
    lung = ellipsoid((80, 80, 60), (100, 80, 60), (90, 70, 50))
    lung &= ~ellipsoid(lung.shape, (0, 60, 60), (90, 60, 50))
    assert recess_mm(lung, ISOTROPIC) > 0
    z, y, _ = np.ogrid[:80, :80, :60]
    assert recess_mm(lung & (2.0 * z > y), ISOTROPIC) < recess_mm(lung, ISOTROPIC) - 10


@pytest.mark.parametrize("rows", [0, 4, -7])
def test_the_step_is_how_much_higher_the_left_base_lies(rows):
    lungs = [np.zeros((40, 10, 10), bool) for _ in range(2)]
    for lung, bottom in zip(lungs, (10, 10 + rows), strict=True):
        lung[bottom:38] = True
    # A tongue of less than 2 % is no base.
    lungs[0][5, 0, 0] = True
    assert base_step_mm(*lungs, (2.0, 1.0, 1.0)) == 2.0 * rows
