"""lungmask's own code on its own architecture, with weights that are rigged to a known answer."""

import functools

import numpy as np
import pytest
from network_phantom import by_hu, dice, two_lungs

from lungprep.errors import ConfigError, NoLungsFound
from lungprep.image.segmentation.methods import find_lungs

SLICES = {"shape": (20, 96, 120), "spacing_mm": (13.0, 3.0, 3.0)}
WHERE = "in no environment but that of make test-networks"
torch = pytest.importorskip("torch", reason=WHERE)
lungmask = pytest.importorskip("lungmask", reason=WHERE)

from lungmask.resunet import UNet  # noqa: E402
from network_rigs import rigged_r231  # noqa: E402


def run(volume, weights):
    return find_lungs(volume, method="lungmask", weights=str(weights), threads=1)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """The same network with 8 channels in place of 64: R231 takes a second for a slice."""
    monkeypatch.setattr(lungmask.mask, "UNet", functools.partial(UNet, wf=3))


@pytest.fixture
def weights(tmp_path):
    return rigged_r231(tmp_path / "r231.pth")


def test_the_network_at_its_own_size(tmp_path, monkeypatch):
    monkeypatch.setattr(lungmask.mask, "UNet", UNet)
    volume, truth = two_lungs((4, 96, 120), (60.0, 3.0, 3.0))
    lungs = run(volume, rigged_r231(tmp_path / "r231.pth"))
    assert min(dice(lungs.labels, truth)) > 0.95


def test_labels_lie_where_the_lungs_are(weights):
    volume, truth = two_lungs(**SLICES)
    lungs = run(volume, weights)
    assert lungs.labels.dtype == np.uint8
    assert lungs.labels.shape == truth.shape
    # Slices are resized to 256 x 256 and labels come back by the nearest.
    assert min(dice(lungs.labels, truth)) > 0.97
    assert lungs.findings.airway_ml is None
    assert lungs.flags == ()
    assert np.array_equal(run(volume, weights).labels, lungs.labels)


def test_itk_calls_the_canonical_axes_lps():
    """lungmask turns images to LPS; arrays must come like that."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.zeros((2, 3, 4), np.int16))
    name = SimpleITK.DICOMOrientImageFilter_GetOrientationFromDirectionCosines(image.GetDirection())
    assert name == "LPS"


def test_an_image_of_itk_gives_the_same_labels(weights):
    """Through lungmask's own reorientation, from an image that is stored the other way round."""
    import SimpleITK
    from lungmask import LMInferer

    volume, _ = two_lungs(**SLICES)
    image = SimpleITK.GetImageFromArray(volume.hu[:, ::-1, ::-1].copy())
    image.SetDirection([-1, 0, 0, 0, -1, 0, 0, 0, 1])
    found = LMInferer(modelpath=str(weights), force_cpu=True, tqdm_disable=True).apply(image)
    assert np.array_equal(found[:, ::-1, ::-1], run(volume, weights).labels)


def test_weights_that_swap_the_sides_are_flagged(tmp_path):
    swapped = rigged_r231(tmp_path / "swapped.pth", right="dense", left="airy")
    assert run(two_lungs(**SLICES)[0], swapped).flags == ("swapped_sides",)


def test_the_older_kind_of_file_is_read(tmp_path):
    old = rigged_r231(tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    volume, truth = two_lungs(**SLICES)
    assert min(dice(run(volume, old).labels, truth)) > 0.97


def test_a_model_of_lobes_is_refused(tmp_path):
    lobes = rigged_r231(tmp_path / "lobes.pth", classes=6)
    with pytest.raises(ConfigError, match="a model of 6 classes where R231 has 3"):
        run(two_lungs(**SLICES)[0], lobes)


def test_a_model_of_another_shape_is_refused(tmp_path):
    torch.save({"last.bias": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(ConfigError, match="does not fit lungmask's U-Net"):
        run(two_lungs(**SLICES)[0], tmp_path / "other.pth")


def test_no_lungs_are_an_error_of_the_patient(weights):
    volume, _ = two_lungs(**SLICES)
    volume.hu[:] = 40
    with pytest.raises(NoLungsFound, match=r"takes 0.00 l for lung"):
        run(volume, weights)


def test_the_rig_can_fail(weights):
    """The oracle of these tests differs from the truth where the densities do."""
    volume, truth = two_lungs(**SLICES)
    assert min(dice(by_hu(volume.hu, right=2, left=1), truth)) == 0
    assert min(dice(by_hu(volume.hu, right=1, left=2), truth)) > 0.99
