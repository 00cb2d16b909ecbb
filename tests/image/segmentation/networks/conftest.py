"""The folder of an organ model."""

import json

import pytest

LABELS = {
    "background": 0,
    "spleen": 1,
    "lung_upper_lobe_left": 2,
    "lung_lower_lobe_left": 3,
    "lung_upper_lobe_right": 4,
    "lung_middle_lobe_right": 5,
    "lung_lower_lobe_right": 6,
    "lung_vessels": 7,
}


@pytest.fixture
def organs(tmp_path):
    """As TotalSegmentator lays it out, without weights that could be used."""
    folder = tmp_path / "Dataset291_organs" / "nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres"
    (folder / "fold_0").mkdir(parents=True)
    dataset = {"channel_names": {"0": "CT"}, "labels": LABELS, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(dataset))
    (folder / "plans.json").write_text("{}")
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"weights")
    return folder
