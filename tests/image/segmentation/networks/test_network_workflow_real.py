"""A patient by a network through the whole workflow, folder to folder."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from lungprep.image.weights import weights_digest
from lungprep_demo.phantom import Scan, chest, slices

WHERE = "in no environment but that of make test-networks"
torch = pytest.importorskip("torch", reason=WHERE)
pytest.importorskip("nnunetv2", reason=WHERE)

from network_rigs import rigged_organs  # noqa: E402

ROOT = Path(__file__).parents[4]
COARSE = Scan(gap_mm=6, shape=(96, 96), spacing_mm=(3.75, 3.75), noise_hu=10)


@pytest.mark.server
def test_a_patient_is_published_and_stale_by_other_weights(organs, tmp_path):
    # Both lungs of this phantom are airy: all is right lung, and flagged.
    rigged_organs(organs, {5: "airy"}, spacing=(4.0, 4.0, 4.0))
    patient = tmp_path / "dicom" / "P1"
    patient.mkdir(parents=True)
    for name, content in slices(chest(), COARSE):
        (patient / name).write_bytes(content)
    segment = {"method": "totalsegmentator", "weights": str(organs)}
    config = {"resample": {"spacing_mm": [4.0, 4.0, 4.0]}, "segment": segment}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))

    def run(*arguments):
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--cores", "2", "--configfile", "mine.yaml", *arguments]
        command += ["--config", "source=./dicom", "target=./npy"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nnU-Net" not in done.stdout
    text = (tmp_path / "npy" / "P1.json").read_text()
    sidecar = json.loads(text)
    assert sidecar["recipe"]["config"]["segment"]["weights"] == weights_digest(segment)
    assert {"torch", "nnunetv2"} <= set(sidecar["recipe"]["versions"])
    assert "Dataset291" not in text
    assert sidecar["lungs"]["airway_ml"] is None
    assert sidecar["lungs"]["right_ml"] > 3000
    assert "lopsided_lungs" in sidecar["flags"]
    assert "no_airway_found" not in sidecar["flags"]
    assert set(np.unique(np.load(tmp_path / "npy" / "P1.lungs.npy"))) == {0, 1}
    assert "missing: 0 of 1 patients" in run("-n").stdout
    rigged_organs(organs, {5: "airy", 2: "dense"}, spacing=(4.0, 4.0, 4.0))
    assert "P1: recipe changed" in run("-n").stdout
