"""Patients with unusable data, set aside: the run ends well, and nobody tries them twice."""

import json
from dataclasses import asdict

import pytest

from lungprep.cohort.quarantine import Failure, read_failures
from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three


def test_quarantined_until_something_changes(lab):
    good = list(slices(chest(), COARSE))
    lab.admit("good", good)
    lab.admit("torn", [file for i, file in enumerate(good) if i != 20])
    done = lab.run(on_bad_patient="quarantine")
    assert done.returncode == 0, done.stdout
    assert "failed torn: 1 of 49 slices are missing" in done.stdout
    assert (
        done.stdout.rstrip()
        .splitlines()[-2]
        .endswith("0 failed, 0 were done before, 1 are quarantined")
    )
    assert lab.published() == sorted([*three("good"), "torn.failed.json"])
    failure = json.loads(lab.target.read("torn.failed.json"))
    assert (failure["patient"], failure["step"], failure["error"]) == (
        "torn",
        "load",
        "MissingSlices",
    )
    assert failure["text"].startswith("torn: 1 of 49 slices are missing")
    assert not [p for p in (lab.folder / "work").rglob("*") if p.is_file()]

    listed = lab.run("-n", on_bad_patient="quarantine").stdout.rstrip().splitlines()
    assert listed[-1] == "missing: 0 of 2 patients"
    assert listed[-2].startswith("quarantined: torn: 1 of 49 slices are missing")
    again = lab.run(on_bad_patient="quarantine")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout
    assert "1 were done before, 1 are quarantined" in again.stdout
    lab.target.discard("good.json")
    assert lab.run(on_bad_patient="quarantine").returncode == 0
    assert b"<li>torn: 1 of 49 slices" in lab.target.read("qc/index.html"), "from an earlier run"

    assert lab.missing(on_bad_patient="quarantine", retry_failed="true") == [
        "1 of 2 patients",
        "  torn: missing",
    ]
    lab.source.write(f"torn/{good[20][0]}", good[20][1])
    assert lab.missing() == ["1 of 2 patients", "  torn: missing"], "on_bad_patient: fail"
    changed = lab.missing(on_bad_patient="quarantine")
    assert changed[1] == "  torn: quarantined, and something changed since"
    cured = lab.run(on_bad_patient="quarantine")
    assert cured.returncode == 0, cured.stdout
    assert lab.published() == sorted([*three("good"), *three("torn")])
    assert b"<li>" not in lab.target.read("qc/index.html")
    assert lab.missing() == ["0 of 2 patients"]


def test_a_replaced_patient_that_fails_is_set_aside_too(lab):
    good = list(slices(chest(), COARSE))
    lab.admit("P1", good)
    assert lab.run().returncode == 0
    lab.source.discard(f"P1/{good[20][0]}")
    done = lab.run(on_bad_patient="quarantine", check_source="true")
    assert done.returncode == 0, done.stdout
    assert "P1.json" not in lab.published()
    assert lab.missing(check_source="true", on_bad_patient="quarantine") == ["0 of 1 patients"]


def test_what_is_not_the_patients_fault_is_not_quarantined(lab, folder):
    lab.admit("P1")
    lab.target = folder("npy")
    lab.target.write("qc", b"a file where a folder should be")
    done = lab.run(on_bad_patient="quarantine")
    assert done.returncode == 1
    assert "P1.failed.json" not in lab.published()


def test_an_unreadable_failure_is_none(lab):
    lab.admit("P1")
    lab.target.write("P1.failed.json", b"{")
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]


@pytest.mark.parametrize(
    "change",
    [
        {"patient": "P2"},
        {"text": "P1: \x1b[2J"},
        {"text": "P1: a\nmissing: 0 of 1 patients"},
        {"text": 3},
        {"error": None},
        {"more": "x"},
    ],
)
def test_a_tampered_failure_is_none(folder, change):
    place = folder("out")
    failure = asdict(Failure("P1", "load", "TooShort", "P1: too short", "r", "s", None))
    place.write("P1.failed.json", json.dumps(failure).encode())
    assert list(read_failures(place, place.entries(), ["P1"])) == ["P1"]
    for content in (json.dumps({**failure, **change}), "[" * 100_000, "3"):
        place.write("P1.failed.json", content.encode())
        assert not read_failures(place, place.entries(), ["P1"])
