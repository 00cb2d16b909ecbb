"""Each preset from a config file to the published arrays, from folder to folder."""

import io
import os

import numpy as np
import pytest

from workflow.conftest import CONFIG, Lab, three


@pytest.fixture
def local(folder, tmp_path):
    """Runs a preset on a phantom; gives voxels, lungs and sidecar."""
    lab = Lab(tmp_path / "machine", folder("dicom"), folder("npy"), dict(os.environ))
    lab.admit("P1")

    def run(preset, **sections):
        lab.config = {**CONFIG, **sections}
        lab.config["output"] = {"preset": preset, **sections.get("output", {})}
        lab.target = folder(preset)
        done = lab.run()
        assert done.returncode == 0, done.stdout
        assert lab.published() == three("P1")
        assert lab.missing() == ["0 of 1 patients"]
        read = [lab.target.read(f"P1{end}.npy") for end in ("", ".lungs")]
        voxels, lungs = (np.load(io.BytesIO(b), allow_pickle=False) for b in read)
        sidecar = lab.sidecar("P1")
        assert voxels.shape == lungs.shape == tuple(sidecar["shape"])
        assert sidecar["npy"]["dtype"] == sidecar["values"]["dtype"] == str(voxels.dtype)
        assert sidecar["recipe"]["config"]["output"]["preset"] == preset
        return voxels, lungs, sidecar

    return run


def test_presets_of_one_scan(local):
    hu, lungs, whole = local("uncropped")
    assert hu.dtype == np.int16
    assert whole["crop"] == {"start": [0, 0, 0], "stop": list(hu.shape)}
    assert whole["values"] == {
        "dtype": "int16", "window_hu": None, "zero_centre": 0.0,
        "slope_hu": 1.0, "intercept_hu": 0.0, "outside": None,
    }  # fmt: skip

    def box(sidecar):
        crop = sidecar["crop"]
        return tuple(slice(a, b) for a, b in zip(crop["start"], crop["stop"], strict=True))

    voxels, labels, sidecar = local("tutorial")
    np.testing.assert_array_equal(labels, lungs[box(sidecar)])
    scaled = (np.clip((hu[box(sidecar)] + 1000.0) / 1400, 0, 1) - 0.25).astype(np.float32)
    np.testing.assert_array_equal(voxels[labels > 0], scaled[labels > 0])
    assert sidecar["values"]["outside"] == -0.25
    shown = voxels != np.float32(-0.25)
    assert np.count_nonzero(shown) > np.count_nonzero(labels), "dilated"
    assert shown.mean() < 0.9, "applied"

    voxels, labels, sidecar = local("grt123")
    np.testing.assert_array_equal(labels, lungs[box(sidecar)])
    scaled = (np.clip((hu[box(sidecar)] + 1200.0) / 1800, 0, 1) * 255).astype(np.uint8)
    np.testing.assert_array_equal(voxels[labels > 0], scaled[labels > 0])
    assert sidecar["values"]["outside"] == 170
    changed = voxels != scaled
    assert (voxels[changed] == 170).all()
    assert (voxels[labels == 0] <= 210).all()
    assert 0.2 < changed.mean() < 0.9
    for axis, found in enumerate(np.nonzero(lungs)):
        start, stop = (sidecar["crop"][end][axis] for end in ("start", "stop"))
        # 5 and 9 mm of 4 mm each.
        assert (start, stop) == (max(0, found.min() - 2), min(hu.shape[axis], found.max() + 4))


def test_keys_override_the_preset(local):
    voxels, lungs, sidecar = local(
        "grt123", segment={"hull": False, "dilate_mm": 0}, output={"outside_hu": 400}
    )
    assert sidecar["values"]["outside"] == 226
    assert (voxels[lungs == 0] == 226).all()
    assert sidecar["recipe"]["config"]["output"]["bone_hu"] == "keep"
