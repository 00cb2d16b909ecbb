"""What lies around the networks, with stand-ins for them: axes, spacing, classes."""

import numpy as np
import pytest
from network_phantom import AIR_HU, TISSUE_HU, by_hu, dice, overlap, two_lungs

from lungprep.image.segmentation.networks import lungmask, totalsegmentator


class Organs:
    """Knows lungs by density; keeps what it was shown."""

    def __init__(self, spacing_mm, blob=0):
        self.spacing_mm = spacing_mm
        self.blob = blob

    def classes(self, hu):
        self.shown = hu
        classes = by_hu(hu, right=6, left=2)
        classes[: self.blob, : self.blob, : self.blob] = 3
        return classes


def organ_labels(monkeypatch, organs, model, volume):
    monkeypatch.setattr(totalsegmentator, "_load", lambda folder, threads: model)
    return totalsegmentator.label(volume, organs, threads=1)


def test_organs_are_shown_towards_the_right_and_the_front(monkeypatch, organs):
    volume, truth = two_lungs()
    model = Organs(volume.grid.spacing_mm)
    assert np.array_equal(organ_labels(monkeypatch, organs, model, volume), truth)
    assert np.array_equal(model.shown, volume.hu[:, ::-1, ::-1])
    assert model.shown.flags.c_contiguous


@pytest.mark.parametrize("spacing", [(3.0, 3.0, 3.0), (5.0, 4.0, 4.5), (2.0, 3.0, 2.0)])
def test_organs_are_seen_at_the_models_spacing(monkeypatch, organs, spacing):
    volume, truth = two_lungs()
    volume.hu[volume.hu == AIR_HU] = TISSUE_HU
    model = Organs(spacing)
    labels = organ_labels(monkeypatch, organs, model, volume)
    expected = np.multiply(truth.shape, volume.grid.spacing_mm) / spacing
    assert np.all(np.abs(model.shown.shape - expected) <= 0.5)
    assert overlap(labels > 0, truth > 0) > 0.95
    assert np.all(labels[26:32, 42:50, 80:88] == 2)


def test_small_pieces_are_no_lung(monkeypatch, organs):
    volume, truth = two_lungs()
    # 64 voxels of 36 mm³ are 2.3 ml, 27 are 1.0 ml.
    small = organ_labels(monkeypatch, organs, Organs(volume.grid.spacing_mm, blob=3), volume)
    assert np.array_equal(small, truth)
    large = organ_labels(monkeypatch, organs, Organs(volume.grid.spacing_mm, blob=4), volume)
    assert np.count_nonzero(large != truth) == 64


def test_lungmask_is_shown_the_array_as_it_is(monkeypatch, tmp_path):
    volume, truth = two_lungs()

    class Inferer:
        def apply(self, hu):
            assert type(hu) is np.ndarray
            assert np.array_equal(hu, volume.hu)
            return by_hu(hu, right=1, left=2)

    monkeypatch.setattr(lungmask, "_inferer", lambda weights, threads: Inferer())
    assert min(dice(lungmask.label(volume, tmp_path, threads=1), truth)) == 1
