"""A cohort in rounds of two patients: one command, one summary, one exit status."""

import os
import re
import signal

import pytest

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, ROOT, three, wait_for

TWO = {"patients_per_round": 2}


@pytest.fixture
def five(lab):
    """Five patients, of whom P1 lacks a slice."""
    good = list(slices(chest(), COARSE))
    for n in range(5):
        lab.admit(f"P{n}", [file for i, file in enumerate(good) if n != 1 or i != 20])
    return lab


def rounds(output):
    return output.count("Building DAG of jobs")


def leftovers(folder):
    """Files of the rounds and of the patients that a run should have removed."""
    return [*(folder / ".snakemake/lungprep").glob("*round*"), *(folder / "work").rglob("*.*")]


def test_one_command_takes_all_rounds(five):
    """Paths stay relative to where it was typed, though ``--directory`` moves Snakemake."""
    five.snakefile = os.path.relpath(ROOT / "Snakefile", five.folder)
    listed = five.run("-n", **TWO).stdout
    assert (
        "the jobs above are those of the first 2 patients; a run goes on with the others" in listed
    )
    assert listed.rstrip().splitlines()[-6:] == [
        "missing: 5 of 5 patients", *(f"  P{n}: missing" for n in range(5))
    ]  # fmt: skip
    assert re.search(r"^publish +2$", listed, re.MULTILINE)

    done = five.run("--directory", "elsewhere", missing_tsv="missing.tsv", **TWO)
    assert done.returncode == 1, done.stdout
    assert rounds(done.stdout) == 3
    assert five.published() == sorted(key for n in (0, 2, 3, 4) for key in three(f"P{n}"))
    assert done.stdout.count("failed P1: 1 of 49 slices are missing") == 1, "tried once"
    assert "round 1 is over: 1 of 5 done, 1 failed" in done.stdout
    assert "round 2 is over: 3 of 5 done, 1 failed" in done.stdout
    assert "4 of 5 done, 1 failed, about 0 s left" in done.stdout
    last = done.stdout.rstrip().splitlines()[-2:]
    assert last[0].startswith("published 4 patients to s3://bucket/")
    assert last[0].endswith("/out/, 1 failed, 0 were done before")
    assert last[1].startswith("  P1: 1 of 49 slices are missing")
    assert done.stdout.count("published 4 patients") == 1
    assert "Traceback" not in done.stdout
    elsewhere = five.folder / "elsewhere"
    assert (elsewhere / "logs/load/P4.log").exists()
    assert not (five.folder / "logs").exists()
    assert not leftovers(elsewhere)
    assert (elsewhere / "missing.tsv").read_text().splitlines()[1:] == ["P1\tmissing\t"]
    assert five.target.read("qc/index.html").count(b"<figure") == 4
    assert b"<li>P1: 1 of 49" in five.target.read("qc/index.html"), "of an earlier round"


def test_quarantined_patients_let_a_run_in_rounds_end_well(five):
    done = five.run(on_bad_patient="quarantine", missing_tsv="missing.tsv", **TWO)
    assert done.returncode == 0, done.stdout
    assert rounds(done.stdout) == 3
    last = done.stdout.rstrip().splitlines()[-2]
    assert last.endswith("0 failed, 0 were done before, 1 are quarantined")
    assert "published 4 patients" in last
    (row,) = (five.folder / "missing.tsv").read_text().splitlines()[1:]
    assert row.startswith("P1\tquarantined\t1 of 49 slices are missing")
    again = five.run(on_bad_patient="quarantine", **TWO)
    assert again.returncode == 0
    assert "0 failed, 4 were done before, 1 are quarantined" in again.stdout


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_round_is_the_last(lab, stop):
    """The signal comes while the round's only patient is being published, or right after."""
    for n in range(3):
        lab.admit(f"P{n}")
    # What a shell starts in the background ignores Ctrl-C, and so would all its children.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = lab.start(cores=1, patients_per_round=1)
    signal.signal(signal.SIGINT, former)
    wait_for(lab.published, running)
    os.kill(running.pid, stop)
    output, _ = running.communicate(timeout=120)
    assert running.returncode != 0, output
    assert not set(lab.published()) - set(three("P0"))
    assert lab.run(patients_per_round=1).returncode == 0
    assert lab.missing() == ["0 of 3 patients"]


def test_names_that_cannot_be_ids_fail_the_last_round(lab):
    for name in ("P0", "P1", "P 2"):
        lab.admit(name)
    done = lab.run(on_bad_patient="quarantine", patients_per_round=1)
    assert done.returncode == 1, done.stdout
    assert rounds(done.stdout) == 2
    assert "published 2 patients" in done.stdout
    assert "'P 2': not usable" in done.stdout


def test_a_changed_source_is_looked_up_once_for_all_rounds(lab, server):
    good = list(slices(chest(), COARSE))
    for n in range(3):
        lab.admit(f"P{n}", good)
    assert lab.run().returncode == 0
    for n in (0, 2):
        lab.source.write(f"P{n}/note.txt", b"not DICOM")
    before = len(server.requests())
    done = lab.run(check_source="true", patients_per_round=1)
    assert done.returncode == 0, done.stdout
    assert rounds(done.stdout) == 2
    assert "published 2 patients" in done.stdout
    assert "0 failed, 1 were done before" in done.stdout
    listed = [key for kind, key in server.requests()[before:] if kind == "LIST"]
    told = "cohort and target; each patient; estimates, loads; the target at the end"
    assert len(listed) == 2 * 2 + 3 + 2 * 2 + 1, told


def test_a_batch_is_taken_at_once(lab):
    for n in range(3):
        lab.admit(f"P{n}")
    done = lab.run("--batch", "all=1/2", patients_per_round=1)
    assert rounds(done.stdout) == 1
    assert "published 2 patients" in done.stdout
    assert "1 not reached" in done.stdout
