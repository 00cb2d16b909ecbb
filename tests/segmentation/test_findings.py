from dataclasses import replace

import numpy as np
import pytest

from lungprep.segmentation.findings import Findings, examine, flags
from lungprep.volume import Grid, Volume

USUAL = Findings(
    right_ml=2500.0,
    left_ml=2000.0,
    mean_hu=-800.0,
    right_mean_hu=-800.0,
    left_mean_hu=-800.0,
    airway_ml=25.0,
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


def test_figures_are_those_of_plain_numpy():
    random = np.random.default_rng(0)
    hu = random.integers(-1024, 300, (6, 20, 30)).astype(np.int16)
    labels = np.zeros(hu.shape, np.uint8)
    labels[1:5, 4:15, 3:12], labels[1:5, 6:15, 15:28] = 1, 2
    volume = Volume(hu, Grid((6, 20, 30), (2.0, 1.5, 1.0), (0.0, 0.0, 0.0)))
    found = examine(volume, labels, np.zeros((20, 30), bool), airway_ml=1.234)
    assert found.right_ml == round(np.count_nonzero(labels == 1) * 3.0 / 1000, 1)
    assert found.left_ml == round(np.count_nonzero(labels == 2) * 3.0 / 1000, 1)
    assert found.mean_hu == pytest.approx(hu[labels > 0].mean(), abs=0.06)
    assert found.right_mean_hu == pytest.approx(hu[labels == 1].mean(), abs=0.06)
    assert found.left_mean_hu == pytest.approx(hu[labels == 2].mean(), abs=0.06)
    assert (found.airway_ml, found.touches) == (1.2, ())


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
