from dataclasses import replace
from types import NoneType
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.image.segmentation.blocks import block_means
from lungprep.image.segmentation.doubts import flags
from lungprep.image.segmentation.findings import Decisions, Findings, examine
from lungprep.image.volume import Grid, Volume

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
    largest_lesion_ml=0.0,
    collapsed_ml=0.0,
    completed_ml=0.0,
    right_completed_ml=0.0,
    left_completed_ml=0.0,
    pleural_gas_ml=0.0,
    base_gas_ml=0.0,
    right_rib_gap_mm=4.0,
    left_rib_gap_mm=4.0,
    right_recess_mm=30.0,
    left_recess_mm=25.0,
    base_step_mm=-10.0,
    surface_cm2=3600.0,
    border_share=0.0,
    touches=(),
)

MAY_BE_NONE = [
    name for name, kind in get_type_hints(Findings).items() if NoneType in get_args(kind)
]


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
        ({"largest_lesion_ml": 30.0}, "dense_disease"),
        ({"collapsed_ml": 10.0}, "dense_disease"),
        ({"right_rib_gap_mm": 16.1}, "dense_disease"),
        ({"left_rib_gap_mm": 16.1}, "dense_disease"),
        ({"right_recess_mm": -22.1}, "dense_disease"),
        ({"left_recess_mm": -22.1}, "dense_disease"),
        ({"base_step_mm": 20.1}, "dense_disease"),
        ({"base_step_mm": -35.1}, "dense_disease"),
        ({"pleural_gas_ml": 30.0}, "free_gas"),
        ({"base_gas_ml": 3.0}, "gas_at_the_base"),
    ],
)
def test_each_doubt_has_its_flag(change, expected):
    assert flags(replace(USUAL, **change)) == (expected,)


@pytest.mark.parametrize(
    "change",
    [
        {"largest_lesion_ml": 29.9},
        {"right_rib_gap_mm": 16.0, "left_rib_gap_mm": 16.0},
        {"right_recess_mm": -22.0, "left_recess_mm": -22.0},
        {"base_step_mm": 20.0},
        {"base_step_mm": -35.0},
        dict.fromkeys(MAY_BE_NONE),
    ],
)
def test_what_is_usual_or_not_told_is_no_doubt(change):
    assert flags(replace(USUAL, **change)) == ()


def test_lungs_that_are_cut_below_need_no_recess():
    cut = replace(USUAL, right_recess_mm=-30.0, touches=("feet",))
    assert flags(cut) == ("incomplete_coverage",)


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


def examined(volume, labels, padded, decisions=None):
    return examine(volume, block_means(volume), labels, padded, decisions)


@given(masks())
def test_figures_are_those_of_plain_numpy(case):
    volume, labels, padded = case
    found = examined(
        volume, labels, padded, Decisions(1.234, 2.345, pleural_gas_ml=0.0, base_gas_ml=31.26)
    )
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
    told = found.airway_ml, found.largest_lesion_ml, found.collapsed_ml
    assert told == (1.2, 2.3, None)
    assert (found.pleural_gas_ml, found.base_gas_ml) == (0.0, 31.3)


def test_emphysema_is_strictly_below_the_limit():
    hu = np.array([-951, -950, -949, -800], np.int16).reshape(1, 1, 4)
    volume = Volume(hu, Grid((1, 1, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
    found = examined(volume, np.uint8([[[1, 1, 2, 2]]]), np.zeros((1, 4), bool))
    shares = found.emphysema_percent, found.right_emphysema_percent, found.left_emphysema_percent
    assert shares == (25.0, 50.0, 0.0)


def test_each_side_of_a_cube_that_is_cut_or_on_padding_is_a_sixth_of_its_surface():
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[0:4, 3:7, 3:7] = 1
    grid = Grid((10, 10, 10), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    volume = Volume(np.full(grid.shape, -850, np.int16), grid)
    padded = np.zeros((10, 10), bool)
    assert examined(volume, labels, padded).border_share == round(1 / 6, 4)
    padded[:, :3] = True
    assert examined(volume, labels, padded).border_share == round(2 / 6, 4)


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
    assert examined(volume, labels, padded).touches == ()
    labels[face][3:5, 3:7] = 1
    assert examined(volume, labels, padded).touches == (name,)
