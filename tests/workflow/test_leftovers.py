"""Whatever lies in work/, a dry run tells the truth, and a run clears it and goes on."""

import json
import os

import pytest

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three, wait_for

PHANTOM = list(slices(chest(), COARSE))
RECORDS = ("load.json", "resample.json", "segment.json")
GRID = {"grid": {"shape": [10, 20, 20], "spacing": 1.0}, "slicing": None}
CONTENTS = {
    "empty": b"",
    "partial": b'{"grid": {"shape": [1',
    "binary": bytes(range(256)),
    "list": b"[]",
    "null": b"null",
    "text": b'"grid"',
    "no field": b"{}",
    "fields of old": json.dumps(GRID).encode(),
    "no numbers": b'{"grid": {"shape": "abc", "spacing_mm": {}}, "box": 7, "slicing": 3}',
    "nested": b"[" * 100_000,
    "of another recipe": json.dumps(
        {
            "grid": {
                "shape": [9, 9, 9],
                "spacing_mm": [1.0, 1.0, 1.0],
                "origin_mm": [0, 0, 0],
                "direction": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            },
            "slicing": None,
            "flags": [],
            "box": [[0, 9], [0, 9], [0, 9]],
        }
    ).encode(),
}


def folder(path):
    (path / "inner").mkdir(parents=True)
    (path / "inner/file").write_bytes(b"left")


KINDS = {
    **{name: lambda path, c=content: path.write_bytes(c) for name, content in CONTENTS.items()},
    "folder": folder,
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "link to a folder": lambda path: path.symlink_to(path.parent, target_is_directory=True),
    "link to itself": lambda path: path.symlink_to(path.name),
    "pipe": os.mkfifo,
    "unreadable": lambda path: (path.write_bytes(b"{}"), path.chmod(0)),
    "temporary": lambda path: path.with_name(f"{path.name}.123").write_bytes(b"left"),
}


def test_each_kind_of_leftover(lab, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"of others")
    work = lab.folder / "work"
    kinds = list(KINDS.items())
    patients = [f"P{n}" for n in range(6)]
    assert len(kinds) == 18
    for n, (_, make) in enumerate(kinds):
        place = work / patients[n % 6]
        place.mkdir(parents=True, exist_ok=True)
        make(place / RECORDS[n // 6])
    for n, name in enumerate(("hu.npy", "published", "failure.json", "lungs.npy")):
        folder(work / patients[n] / name)
        (work / patients[n + 2] / name).symlink_to(victim)
    for patient in patients:
        lab.admit(patient, PHANTOM)
    (work / "P7").symlink_to("nowhere")
    (work / "_refused").touch()
    assert lab.missing() == ["6 of 6 patients", *(f"  {patient}: missing" for patient in patients)]
    done = lab.run()
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    assert lab.published() == sorted(key for patient in patients for key in three(patient))
    assert victim.read_bytes() == b"of others"
    # A link that belongs to no patient of the cohort is no affair of ours.
    assert sorted(path.name for path in work.iterdir()) == ["P7", "_refused"]


@pytest.mark.parametrize("name", ["work", "work/P1"])
def test_a_file_in_the_place_of_a_folder_is_named(lab, name):
    lab.admit("P1", PHANTOM)
    path = lab.folder / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"notes")
    assert lab.missing() == ["1 of 1 patients", "  P1: missing"]
    done = lab.run()
    assert done.returncode == 1
    assert "Traceback" not in done.stdout, done.stdout
    assert f"lungprep: {path} is not a folder; move it elsewhere, then run again" in done.stdout
    assert path.read_bytes() == b"notes"


def test_a_dry_run_beside_a_run_and_after_its_death(lab):
    """It needs no lock, and a lock of Snakemake's is not worth a word."""
    lab.admit("P1", PHANTOM)
    lab.admit("P2", PHANTOM)
    running = lab.start(cores=1)
    wait_for(lambda: list((lab.folder / ".snakemake/locks").glob("*.lock")), running)
    for _ in "alive", "dead":
        looked = lab.run("-n")
        assert looked.returncode == 0, looked.stdout
        assert "locked" not in looked.stdout
        assert "of 2 patients" in looked.stdout.rpartition("missing: ")[2]
        running.kill()
        running.wait()
    running.stdout.close()
    assert list((lab.folder / ".snakemake/locks").glob("*.lock"))
