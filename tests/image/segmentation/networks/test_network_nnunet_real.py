"""nnU-Net's own code on tiny networks, with weights that are rigged to a known answer."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from network_phantom import AIR_HU, TISSUE_HU, overlap, two_lungs

from lungprep.errors import ConfigError, NoLungsFound
from lungprep.image.segmentation.methods import find_lungs

WHERE = "in no environment but that of make test-networks"
torch = pytest.importorskip("torch", reason=WHERE)
pytest.importorskip("nnunetv2", reason=WHERE)

from network_rigs import NEW, OLD, checkpoint, network, plans, rigged_organs  # noqa: E402

# Right middle lobe and left lower lobe; all other classes never score.
LOBES = {5: "airy", 3: "dense"}
CHECKPOINT = "fold_0/checkpoint_final.pth"


def run(volume, folder):
    return find_lungs(volume, method="totalsegmentator", weights=str(folder), threads=1)


def test_labels_lie_where_the_lungs_are(organs):
    volume, truth = two_lungs()
    lungs = run(volume, rigged_organs(organs, LOBES))
    assert lungs.labels.dtype == np.uint8
    assert np.array_equal(lungs.labels, truth)
    assert lungs.findings.airway_ml is None
    assert lungs.flags == ()


def test_on_another_spacing_and_with_turned_axes(organs):
    """From 4 x 3 x 3 mm to 5 x 4 x 3.5 mm and back; the model keeps its axes as (x, y, z)."""
    folder = rigged_organs(organs, LOBES, spacing=(5.0, 4.0, 3.5), forward=(2, 1, 0))
    volume, truth = two_lungs()
    # Where air or the airy lung turns into tissue, a rim of it is as dense as the other lung.
    volume.hu[volume.hu == AIR_HU] = TISSUE_HU
    labels = run(volume, folder).labels
    assert labels.shape == truth.shape
    assert overlap(labels > 0, truth > 0) > 0.95
    inside = np.s_[28:36, 44:54, 32:40], np.s_[26:32, 42:50, 80:88]
    assert [set(np.unique(labels[box])) for box in inside] == [{1}, {2}]
    assert np.array_equal(run(volume, folder).labels, labels)


def test_the_network_sees_the_patients_right_last(organs):
    """It reads each voxel from the next one along its x, so its lungs are shifted against that."""
    volume, truth = two_lungs()
    labels = run(volume, rigged_organs(organs, LOBES, shift=1)).labels
    assert np.array_equal(labels[:, :, 1:], truth[:, :, :-1])


def test_the_plans_of_the_published_models_are_understood(organs):
    """Written by a version of 2023: every voxel gets the class whose constant is largest."""
    state = network(OLD, heads=8)
    for tensor in state.values():
        tensor.fill_(0.0)
    state["decoder.seg_layers.0.bias"][4] = 1.0
    (organs / "plans.json").write_text(json.dumps(plans(OLD)))
    torch.save(checkpoint(state), organs / CHECKPOINT)
    lungs = run(two_lungs()[0], organs)
    assert np.all(lungs.labels == 1)


def test_folds_are_averaged(organs):
    """A fold that has no opinion changes no class; one that is sure of background does."""
    volume, truth = two_lungs()
    rigged_organs(organs, LOBES)
    content = torch.load(organs / CHECKPOINT, weights_only=False)
    for tensor in content["network_weights"].values():
        tensor.fill_(0.0)
    (organs / "fold_1").mkdir()
    torch.save(content, organs / "fold_1" / "checkpoint_final.pth")
    assert np.array_equal(run(volume, organs).labels, truth)
    content["network_weights"]["decoder.seg_layers.0.bias"][0] = 100.0
    torch.save(content, organs / "fold_1" / "checkpoint_final.pth")
    with pytest.raises(NoLungsFound, match=r"the network takes 0.00 l for lung"):
        run(volume, organs)


class Runs:
    """Touches a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_holds_code_is_refused_and_not_run(organs, tmp_path, zipped):
    rigged_organs(organs, LOBES)
    content = torch.load(organs / CHECKPOINT, weights_only=False)
    content["logging"] = Runs(tmp_path / "touched")
    torch.save(content, organs / CHECKPOINT, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ConfigError, match=r"can't be read as weights alone .*never run") as caught:
        run(two_lungs()[0], organs)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("content", [b"", b"weights", b"PK\x03\x04 a broken zip"])
def test_a_broken_checkpoint_is_named(organs, content):
    rigged_organs(organs, LOBES)
    (organs / CHECKPOINT).write_bytes(content)
    with pytest.raises(ConfigError, match=r"checkpoint_final.pth can't be read as weights alone"):
        run(two_lungs()[0], organs)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("network_class_name", "os.system"),
        ("network_class_name", "dynamic_network_architectures.architectures.unet.torch.hub.load"),
        ("nonlin", "subprocess.Popen"),
        ("nonlin", "torch.nn.modules.module.functools.partial"),
    ],
)
def test_plans_that_name_other_code_are_refused(organs, part, name):
    rigged_organs(organs, LOBES)
    found = copy.deepcopy(NEW)
    inside = found["architecture"]
    (inside if part in inside else inside["arch_kwargs"])[part] = name
    (organs / "plans.json").write_text(json.dumps(plans(found)))
    with pytest.raises(ConfigError, match="names code other than network parts"):
        run(two_lungs()[0], organs)


def test_weights_of_another_network_are_refused(organs):
    rigged_organs(organs, LOBES)
    found = copy.deepcopy(NEW)
    found["architecture"]["arch_kwargs"]["features_per_stage"] = [6, 8]
    (organs / "plans.json").write_text(json.dumps(plans(found)))
    with pytest.raises(ConfigError, match=r"do not fit its plans.json \(Error"):
        run(two_lungs()[0], organs)


def test_a_model_of_two_channels_is_refused(organs):
    rigged_organs(organs, LOBES)
    dataset = json.loads((organs / "dataset.json").read_text())
    dataset["channel_names"]["1"] = "PET"
    (organs / "dataset.json").write_text(json.dumps(dataset))
    with pytest.raises(ConfigError, match="no 3-D model of one channel"):
        run(two_lungs()[0], organs)


def test_plans_that_lack_a_value_are_named(organs):
    rigged_organs(organs, LOBES)
    found = plans(NEW)
    del found["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"]
    (organs / "plans.json").write_text(json.dumps(found))
    with pytest.raises(ConfigError, match="lacks 'arch_kwargs'"):
        run(two_lungs()[0], organs)
