from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.segmentation.findings import Findings, examine, flags
from lungprep.volume import Grid, Volume

USUAL = Findings(
    right_ml=2500.0,
    left_ml=2000.0,
    mean_hu=-800.0,
    right_mean_hu=-800.0,
    left_mean_hu=-800.0,
    emphysema_percent=1.0,
    right_emphysema_percent=1.0,
    left_emphysema_percent=1.0,
    perc15_hu=-900,
    right_perc15_hu=-900,
    left_perc15_hu=-900,
    airway_ml=25.0,
    border_share=0.0,
    touches=(),
)


def test_usual_lungs_have_no_flags():
    assert flags(USUAL) == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"right_ml": 700.0, "left_ml": 700.0}, "unusual_lung_volume"),
        ({"right_ml": 4500.0, "left_ml": 4100.0}, "unusual_lung_volume"),
        ({"left_ml": 1200.0}, "lopsided_lungs"),
        ({"right_ml": 900.0}, "lopsided_lungs"),
        ({"touches": ("left",)}, "touches_field_border"),
        ({"touches": ("field",)}, "touches_field_border"),
        ({"touches": ("feet",)}, "incomplete_coverage"),
        ({"touches": ("head",)}, "incomplete_coverage"),
        ({"mean_hu": -960.0}, "unusual_lung_density"),
        ({"mean_hu": -550.0}, "unusual_lung_density"),
        ({"airway_ml": 0.0}, "no_airway_found"),
    ],
)
def test_each_doubt_has_its_flag(change, expected):
    assert flags(replace(USUAL, **change)) == (expected,)


@st.composite
def masks(draw):
    """HU, labels and padding of any small shape: full, sparse or empty, in whole or in part."""
    shape = draw(st.tuples(*[st.integers(1, 6)] * 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    labels = random.choice(draw(st.sampled_from([[1], [2], [1, 2]])), shape).astype(np.uint8)
    labels[random.random(shape) >= share] = 0
    padded = random.random(shape[1:]) < draw(st.sampled_from([0.0, 0.3]))
    labels[:, padded] = 0
    low, high = draw(st.sampled_from([(-1024, 3072), (-1000, -900), (-951, -948)]))
    hu = random.integers(low, high, shape).astype(np.int16)
    spacing = draw(st.tuples(*[st.sampled_from([0.5, 1.0, 2.5])] * 3))
    return Volume(hu, Grid(shape, spacing, (0.0, 0.0, 0.0))), labels, padded


def border_share(labels, padded, spacing):
    """Voxel by voxel, face by face."""
    surface = border = 0.0
    for voxel in np.argwhere(labels):
        for axis in range(3):
            for step in (-1, 1):
                other = voxel.copy()
                other[axis] += step
                area = np.prod(spacing) / spacing[axis]
                outside = not 0 <= other[axis] < labels.shape[axis]
                if outside or not labels[tuple(other)]:
                    surface += area
                    border += area if outside or padded[tuple(other[1:])] else 0.0
    return border / surface if surface else 0.0


@given(masks())
def test_figures_are_those_of_plain_numpy(case):
    volume, labels, padded = case
    found = examine(volume, labels, padded, airway_ml=1.234)
    voxel_ml = np.prod(volume.grid.spacing_mm) / 1000
    assert found.right_ml == pytest.approx(np.sum(labels == 1) * voxel_ml, abs=0.0501)
    assert found.left_ml == pytest.approx(np.sum(labels == 2) * voxel_ml, abs=0.0501)
    for name, inside in (
        ("", volume.hu[labels > 0]),
        ("right_", volume.hu[labels == 1]),
        ("left_", volume.hu[labels == 2]),
    ):
        figures = [
            getattr(found, name + figure)
            for figure in ("mean_hu", "emphysema_percent", "perc15_hu")
        ]
        if inside.size == 0:
            assert figures == [None, None, None]
            continue
        assert figures == [
            pytest.approx(inside.mean(), abs=0.0501),
            pytest.approx(100 * np.mean(inside < -950), abs=0.00501),
            np.percentile(inside, 15, method="inverted_cdf"),
        ]
    share = border_share(labels, padded, volume.grid.spacing_mm)
    assert found.border_share == pytest.approx(share, abs=0.0000501)
    assert found.airway_ml == 1.2


def test_emphysema_is_strictly_below_the_limit():
    hu = np.array([-951, -950, -949, -800], np.int16).reshape(1, 1, 4)
    volume = Volume(hu, Grid((1, 1, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
    found = examine(volume, np.uint8([[[1, 1, 2, 2]]]), np.zeros((1, 4), bool), airway_ml=0)
    shares = found.emphysema_percent, found.right_emphysema_percent, found.left_emphysema_percent
    assert shares == (25.0, 50.0, 0.0)


def test_each_side_of_a_cube_that_is_cut_or_on_padding_is_a_sixth_of_its_surface():
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[0:4, 3:7, 3:7] = 1
    grid = Grid((10, 10, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    volume = Volume(np.full(grid.shape, -850, np.int16), grid)
    padded = np.zeros((10, 10), bool)
    assert examine(volume, labels, padded, airway_ml=0).border_share == round(1 / 6, 4)
    padded[:, :3] = True
    assert examine(volume, labels, padded, airway_ml=0).border_share == round(2 / 6, 4)


@pytest.mark.parametrize(
    ("face", "name"),
    [
        (np.s_[:, :, 0], "right"),
        (np.s_[:, :, -1], "left"),
        (np.s_[:, 0], "front"),
        (np.s_[:, -1], "back"),
        (np.s_[0], "feet"),
        (np.s_[-1], "head"),
    ],
)
def test_contacts_are_named_and_the_last_bit_of_a_rim_is_none(face, name):
    volume = Volume(
        np.full((8, 8, 8), -860, np.int16), Grid((8, 8, 8), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    )
    padded = np.zeros((8, 8), bool)
    labels = np.zeros((8, 8, 8), np.uint8)
    labels[face][3:5, 3:6] = 1
    assert examine(volume, labels, padded, airway_ml=0).touches == ()
    labels[face][3:5, 3:7] = 1
    assert examine(volume, labels, padded, airway_ml=0).touches == (name,)
