"""Shares of the patients as jobs: to a user no different from a run of each patient's steps."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from lungprep.cohort import Patient, from_csv
from lungprep.errors import WorkspaceError
from lungprep.phantom import chest, slices
from lungprep.receipt import Receipt
from lungprep.shards import allocation
from lungprep.shards.papers import LIST, RESULT, Result, cohort_file, listed_mb, read_result, shares
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep.verdicts import Verdict
from workflow.conftest import COARSE, ROOT, wait_for

PHANTOM = list(slices(chest(), COARSE))
SHORT = PHANTOM[:1]
VERDICT = Verdict("load", "TooFewSlices", "too few; upload all", transient=False, data=True)


def digests(lab):
    """SHA-256 of both arrays, by patient."""
    receipts = [k.removesuffix(".json") for k in lab.published() if k.endswith(".json")]
    return {p: [lab.sidecar(p)[k]["sha256"] for k in ("npy", "lungs_npy")] for p in receipts}


def summary(output):
    """The last words of a run."""
    lines = output.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("published ")]
    return lines[starts[-1] :]


def papers(lab):
    return [e.key for e in lab.target.entries(below=True) if e.key.startswith("_shards/")]


def test_shares_end_as_a_run_of_steps_does(lab, tmp_path):
    for n in range(3):
        lab.admit(f"P{n}", PHANTOM)
    lab.admit("bad", SHORT)
    apart = {"target": f"{lab.target.address}steps/"}
    steps = lab.run(**apart, patients_per_job="null")
    done = lab.run(patients_per_job=2)
    assert done.returncode == steps.returncode == 1, done.stdout
    assert [line.replace("/out/", "/out/steps/") for line in summary(done.stdout)] == summary(
        steps.stdout
    )
    assert "shard        2" in done.stdout
    other = open_store(parse_address("target", apart["target"]), S3Options())
    assert lab.target.read("failures.csv") == other.read("failures.csv")
    assert lab.target.read("qc/index.html") == other.read("qc/index.html")
    index, its = (json.loads(s.read("_cohort.json"))["patients"] for s in (lab.target, other))
    assert index.keys() == its.keys()
    for n in range(3):
        for name in (f"P{n}.npy", f"P{n}.lungs.npy", f"qc/P{n}.png"):
            assert lab.target.read(name) == other.read(name)
    assert papers(lab) == []
    assert not list(lab.folder.glob("work/_shards/*/*"))
    assert lab.missing() == ["1 of 4 patients", "  bad: missing"]


def test_a_dry_run_plans_the_jobs_of_the_engine(lab):
    for n in range(3):
        lab.admit(f"P{n}", SHORT)
    before = lab.published()
    profile = ("--workflow-profile", str(ROOT / "profiles/slurm"))
    here = lab.run("-n").stdout
    engine = lab.run("-n", *profile).stdout
    assert re.search(r"(?m)^publish +3$", here), here
    assert re.search(r"(?m)^shard +1$", engine), engine
    assert re.search(r"(?m)^shard +2$", lab.run("-n", *profile, patients_per_job=2).stdout)
    assert len({output[output.index("missing: ") :] for output in (engine, here)}) == 1
    assert lab.published() == before


def test_a_share_asks_no_more_of_the_source(lab, server):
    for n in range(3):
        lab.admit(f"P{n}", PHANTOM)

    def asked(**config):
        before = len(server.requests())
        done = lab.run(**config)
        assert done.returncode == 0, done.stdout
        return Counter(kind for kind, key in server.requests()[before:] if "/in/" in key)

    steps = asked(target=f"{lab.target.address}steps/", patients_per_job="null")
    assert steps["GET"] > 3 * len(PHANTOM), "two requests for each patient are no slices"
    assert asked(patients_per_job=2) == steps


def test_quarantine_is_the_sender_s_affair(lab):
    lab.admit("P1", PHANTOM)
    lab.admit("bad", SHORT)
    done = lab.run(patients_per_job=2, on_bad_patient="quarantine")
    assert done.returncode == 0, done.stdout
    assert "bad.failed.json" in lab.published()
    assert "1 are quarantined" in summary(done.stdout)[0]
    assert lab.missing(on_bad_patient="quarantine") == ["0 of 2 patients"]


def test_papers_of_a_killed_run_go_with_the_next(lab):
    lab.admit("P1", PHANTOM)
    running = lab.start(patients_per_job=1)
    while not papers(lab):
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert papers(lab)
    assert lab.run().returncode == 0
    assert papers(lab) == []


def test_names_of_shares_are_no_other_run_s():
    first, second = (shares("abcde", 2) for _ in range(2))
    assert list(first.values()) == [["a", "b"], ["c", "d"], ["e"]]
    assert not first.keys() & second.keys()


def test_a_list_reads_as_it_was_written(tmp_path):
    source = parse_address("source", "s3://bucket/data/")
    odd = 'a, "b"\u00e9 c'
    patients = [Patient("P1", source.join(odd)), Patient("P2", source.join("P2"), "1.2.3")]
    content = cohort_file(patients, {"P2": 70})
    (tmp_path / "list.csv").write_bytes(content)
    assert list(from_csv(tmp_path / "list.csv", source).patients.values()) == patients
    assert listed_mb(content) == {"P2": 70}


def test_a_result_reads_as_it_was_written():
    receipt = Receipt("etag", "recipe", "source", None, "1.2", 10, 5, ("flag",))
    result = Result({"P1": receipt}, {"P2": VERDICT})
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize("content", [b"", b"[]", b'{"published": 1, "failures": {}}'])
def test_a_broken_result_is_none(store, content):
    target = store("target")
    assert read_result(target, "1") is None
    target.write(RESULT.format(shard="1"), content)
    assert read_result(target, "1") is None


def test_scratch_of_killed_jobs_is_removed_and_that_of_living_ones_kept(tmp_path):
    code = "import sys, time; from pathlib import Path; from lungprep.shards.allocation import *\n"
    code += "with scratch(Path(sys.argv[1])) as f: print(f, flush=True); time.sleep(60)"
    killed, living = (
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path],
            cwd=Path(allocation.__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    )
    left, kept = (Path(process.stdout.readline().strip()) for process in (killed, living))
    killed.kill()
    killed.wait()
    assert left.exists()
    with allocation.scratch(tmp_path) as folder:
        assert sorted(tmp_path.iterdir()) == sorted([folder, kept])
    living.kill()
    for process in (killed, living):
        process.communicate()


def test_a_removal_that_is_cut_off_is_made_good(tmp_path, monkeypatch):
    def cut_off(path, **_):
        raise KeyboardInterrupt

    left = tmp_path / f"{allocation.PREFIX}left"
    (left / "work").mkdir(parents=True)
    for name in (allocation.HELD, "cohort.csv"):
        (left / name).touch()
    with monkeypatch.context() as patch:
        patch.setattr(allocation.shutil, "rmtree", cut_off)
        with pytest.raises(KeyboardInterrupt):
            allocation._remove(left)
    with allocation.scratch(tmp_path):
        assert not left.exists()


def test_a_share_whose_list_is_removed_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(allocation, "LOOK_S", 0.1)
    answers = iter([True, False])
    allocation._run(["sleep", "60"], tmp_path, lambda: next(answers), print)


def test_an_error_is_the_last_line_of_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit), allocation.told_in(str(tmp_path / "log"), "7"):
        raise WorkspaceError("the list is gone", "run again")
    assert (tmp_path / "log").read_text() == "share 7: the list is gone; run again\n"


def test_lists_lie_where_no_patient_does():
    from lungprep.cohort import ACCEPTED_ID

    assert not ACCEPTED_ID.fullmatch(LIST.partition("/")[0])


def admit_nobody(lab):
    """A cohort of patients whose bucket does not exist."""
    lab.folder.mkdir()
    lab.admit("present", SHORT)
    rows = [f"P{n:02d},s3://no-such-bucket/P{n:02d}/" for n in range(30)]
    (lab.folder / "cohort.csv").write_text("\n".join(["patient,prefix", *rows]) + "\n")


def test_a_run_in_which_nothing_goes_stops(lab):
    admit_nobody(lab)
    done = lab.run("--set-threads", "shard=1", patients="cohort.csv", patients_per_job=5)
    assert done.returncode == 1
    assert "patients failed, and none by its own data" in done.stdout
    assert int(re.search(r"(\d+) not reached", summary(done.stdout)[0])[1]) >= 10, done.stdout
    assert "Traceback" not in done.stdout
    assert papers(lab) == []


def test_stopped_by_sigterm(lab):
    for n in range(4):
        lab.admit(f"P{n}", PHANTOM)
    running = lab.start(patients_per_job=2)
    wait_for(lab.published, running)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "Traceback" not in output, output
    assert papers(lab) == []
    again = lab.run(patients_per_job=2)
    assert again.returncode == 0, again.stdout
    assert len({tuple(pair) for pair in digests(lab).values()}) == 1
    assert lab.missing() == ["0 of 4 patients"]
