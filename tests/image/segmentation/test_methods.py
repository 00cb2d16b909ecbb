"""Which method finds the lungs, and what is told of a network's labels."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation import methods, segment
from lungprep.image.segmentation.methods import find_lungs, measured

SCRIPTS = Path(__file__).parents[3] / "scripts"


@pytest.fixture
def phantom(chest):
    return chest((3.0, 3.0, 3.0)).lungs().airways()


def test_classical_is_what_it_was(phantom):
    volume = phantom.volume()
    lungs = find_lungs(volume)
    assert np.array_equal(lungs.labels, segment(volume).labels)
    assert lungs.findings == segment(volume).findings


def test_a_network_is_imported_by_its_name(monkeypatch, phantom):
    volume, truth = phantom.volume(), phantom.truth
    asked = {}

    def label(volume, weights, *, threads):
        asked.update(weights=weights, threads=threads)
        return truth

    def load(name):
        asked["name"] = name
        return SimpleNamespace(label=label)

    monkeypatch.setattr(methods, "import_module", load)
    lungs = find_lungs(volume, method="lungmask", weights="w.pth", threads=3)
    assert asked == {
        "name": "lungprep.image.segmentation.networks.lungmask",
        "weights": Path("w.pth"),
        "threads": 3,
    }
    assert lungs.labels is truth
    assert lungs.grid == volume.grid
    assert lungs.findings.airway_ml is None
    assert lungs.findings.right_ml > lungs.findings.left_ml > 1000
    assert lungs.flags == ()
    assert lungs.to_json()["airway_ml"] is None
    assert lungs.findings.largest_lesion_ml is None


def test_classical_imports_no_network():
    code = (
        "import sys, lungprep.image.segmentation.methods as m; "
        "print([n for n in sys.modules if n.split('.')[0] in ('torch', 'lungmask', 'nnunetv2') "
        "or 'networks' in n])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_swapped_sides_are_flagged(phantom):
    swapped = np.where(phantom.truth > 0, 3 - phantom.truth, 0).astype(np.uint8)
    assert measured(phantom.volume(), swapped).flags == ("swapped_sides",)


def test_one_lung_is_not_swapped(phantom):
    right = np.where(phantom.truth == 1, 1, 0).astype(np.uint8)
    assert measured(phantom.volume(), right).flags == ("lopsided_lungs",)


def test_less_than_half_a_litre_is_no_lung(phantom):
    nothing = np.zeros(phantom.truth.shape, np.uint8)
    with pytest.raises(
        NoLungsFound, match=r"takes 0.00 l for lung.*scan flagged few_slices; check"
    ):
        measured(phantom.volume(), nothing, scan_flags=["few_slices"])


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 2), np.uint8), None])
def test_labels_of_another_kind_are_a_bug(phantom, wrong):
    labels = phantom.truth.astype(np.int64) if wrong is None else wrong
    with pytest.raises(ValueError, match="expected uint8"):
        measured(phantom.volume(), labels)
