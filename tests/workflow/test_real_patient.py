"""The demo's patient by the stock config: what the README promises of it."""

import io

import numpy as np
import pytest

from lungprep_demo import scan
from real_archive import ARCHIVE
from workflow.conftest import three


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the real scan is not here; make test gets it")
def test_real_patient_s3_to_s3(lab, server):
    lab.config = {}
    lab.admit("RIDER", scan.files(ARCHIVE))
    before = len(server.requests())
    done = lab.run()
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("RIDER")
    kinds = [kind for kind, key in server.requests()[before:] if "/in/" in key]
    # This server serves no ranges, so that the start of an object takes two requests.
    assert kinds.count("GET") == 241 + 2, "each object once, and the start of one for the estimate"

    sidecar = lab.sidecar("RIDER")
    hu = np.load(io.BytesIO(lab.target.read("RIDER.npy")), allow_pickle=False)
    assert hu.dtype == np.int16
    assert list(hu.shape) == sidecar["shape"]
    assert sidecar["spacing_mm"] == [1.0, 1.0, 1.0]
    assert sidecar["source"]["skipped"] == {"RTSTRUCT": 1, "SEG": 1, "not DICOM": 3}
    assert 4600 < sidecar["lungs"]["right_ml"] + sidecar["lungs"]["left_ml"] < 5000
    peaks = {step: usage["peak_mb"] for step, usage in sidecar["steps"].items()}
    assert max(peaks.values()) < 600, peaks
    assert sum(entry.size for entry in lab.target.entries()) < 205e6 / 4
