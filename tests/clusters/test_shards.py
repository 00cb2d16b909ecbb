"""Shards of the patients as jobs: to a user no different from a run of each patient's steps."""

import errno
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

from lungprep.cohort.patients import Cohort, Patient, from_csv
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.config.schema import complete, read_schema
from lungprep.errors import WorkspaceError
from lungprep.shards import scratch
from lungprep.shards import worker as allocation
from lungprep.shards.dispatch import Dispatch
from lungprep.shards.messages import (
    LIST,
    RESULT,
    Result,
    cohort_file,
    listed_mb,
    read_result,
    shards,
)
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep.workspace.verdicts import Verdict
from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, ROOT, wait_for

PHANTOM = list(slices(chest(), COARSE))
SHORT = PHANTOM[:1]
# Each job that publishes waits: until after a run without such waits, and less than its job lives
# without a list.
SLOW = """
import os, sys, time
if ".snakemake/scripts" in " ".join(sys.orig_argv) and "publish" in " ".join(sys.orig_argv):
    open(os.environ["SPY"], "w").close()
    time.sleep(14)
"""
VERDICT = Verdict("load", "TooFewSlices", "too few; upload all", transient=False, data=True)


def digests(lab):
    """SHA-256 of both arrays, by patient."""
    sidecars = [k.removesuffix(".json") for k in lab.published() if k.endswith(".json")]
    return {p: [lab.sidecar(p)[k]["sha256"] for k in ("npy", "lungs_npy")] for p in sidecars}


def summary(output):
    """The last words of a run."""
    lines = output.splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("published ")]
    return lines[starts[-1] :]


def papers(lab):
    return [e.key for e in lab.target.entries(below=True) if e.key.startswith("_shards/")]


def test_shards_end_as_a_run_of_steps_does(lab, tmp_path):
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


def test_a_shard_asks_no_more_of_the_source(lab, server):
    for n in range(3):
        lab.admit(f"P{n}", PHANTOM)

    def asked(**config):
        before = len(server.requests())
        done = lab.run(**config)
        assert done.returncode == 0, done.stdout
        return Counter(kind for kind, key in server.requests()[before:] if "/in/" in key)

    steps = asked(target=f"{lab.target.address}steps/", patients_per_job="null")
    assert steps["GET"] > 3 * len(PHANTOM), "two requests for each patient are no slices"
    # The server writes its log a little later: one request more or less tells nothing.
    assert asked(patients_per_job=2).total() < steps.total() + 3


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


def test_jobs_of_a_killed_run_replace_nothing(lab, tmp_path):
    for patient in ("P1", "P2"):
        lab.admit(patient, PHANTOM)
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy/sitecustomize.py").write_text(SLOW)
    (tmp_path / "node").mkdir()
    spied = {"PYTHONPATH": str(tmp_path / "spy"), "SPY": str(tmp_path / "hit")}
    # Its job is on another node, as it were, and lives on.
    spied["TMPDIR"] = str(tmp_path / "node")
    running = lab.start(environ=lab.environ | spied, patients_per_job=2)
    wait_for((tmp_path / "hit").exists, running)
    running.kill()
    running.wait()
    running.stdout.close()
    lab.config["resample"] = {"spacing_mm": [5.0] * 3}
    done = lab.run(patients_per_job=2, overwrite="true")
    assert done.returncode == 0, done.stdout
    assert "s for jobs of a killed run to end" in done.stdout
    time.sleep(14)
    spacings = [
        lab.sidecar(patient)["recipe"]["config"]["resample"]["spacing_mm"]
        for patient in ("P1", "P2")
    ]
    assert spacings == 2 * [[5.0] * 3]
    assert papers(lab) == []


def test_what_was_written_into_a_target_that_is_gone_is_no_hindrance(lab):
    lab.admit("P1", PHANTOM)
    out = lab.folder / ".snakemake/lungprep/shards.json"
    out.parent.mkdir(parents=True)
    out.write_text(json.dumps({"target": "s3://no-such-bucket/out/", "shards": ["1"]}))
    assert lab.run().returncode == 0
    assert not out.exists()


def test_a_profile_of_the_user_s_does_not_reach_into_shards(lab, tmp_path):
    lab.admit("P1", PHANTOM)
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile/config.yaml").write_text("executor: nowhere\n")
    environ = {**lab.environ, "SNAKEMAKE_PROFILE": str(tmp_path / "profile")}
    done = lab.run("--executor", "local", environ=environ, patients_per_job=1)
    assert done.returncode == 0, done.stdout


def test_patients_whose_result_is_gone_are_failures(folder, tmp_path):
    (tmp_path / "in").mkdir()
    target = folder("out")
    config = complete({"source": f"{tmp_path}/in", "target": f"{tmp_path}/out"}, read_schema())
    source = parse_address("source", f"{tmp_path}/in/")
    cohort = Cohort({name: Patient(name, source.join(name)) for name in ("P1", "P2")})
    dispatch = Dispatch(config, cohort, target, ["P1", "P2"], 2, tmp_path)
    (shard,) = dispatch.shards
    result = dispatch.collect(shard)
    assert result.published == {}
    assert {verdict.text for verdict in result.failures.values()} == {
        f"the result of its shard {shard} is missing from the target; run again"
    }
    assert result.failures.keys() == {"P1", "P2"}


def test_a_full_node_and_relative_weights_are_no_shard_s_end(folder, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    target, given = folder("out"), {"source": f"{tmp_path}/in", "target": f"{tmp_path}/out"}
    config = complete({**given, "segment": {"weights": "models/r231.pth"}}, read_schema())
    patient = Patient("P1", parse_address("source", f"{tmp_path}/in/").join("P1"))
    target.write(LIST.format(shard="1"), cohort_file([patient], {}))
    full = Verdict("load", "DiskFull", "the disk is full; free it", transient=False, data=False)
    weights = []

    def run(command, scratch_folder, wanted, say):
        """Stands for the workflow on a node without room."""
        own = json.loads((scratch_folder / "config.json").read_text())
        weights.append(own["segment"]["weights"])
        (scratch_folder / "result.json").write_bytes(Result({}, {"P1": full}).to_json())

    monkeypatch.setattr(allocation, "_run", run)
    with pytest.raises(WorkspaceError, match="1 interrupted, the last because the disk is full"):
        allocation.run_shard("1", config, ROOT / "Snakefile", 1, 1000, tmp_path, print)
    assert weights == [str(Path("models/r231.pth").absolute())]
    assert read_result(target, "1").failures == {"P1": full}


def test_names_of_shards_are_no_other_run_s():
    first, second = (shards("abcde", 2) for _ in range(2))
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
    facts = SidecarFacts("etag", "recipe", "source", None, "1.2", 10, 5, ("flag",))
    result = Result({"P1": facts}, {"P2": VERDICT})
    assert Result.from_json(result.to_json()) == result


@pytest.mark.parametrize("content", [b"", b"[]", b'{"published": 1, "failures": {}}'])
def test_a_broken_result_is_none(store, content):
    target = store("target")
    assert read_result(target, "1") is None
    target.write(RESULT.format(shard="1"), content)
    assert read_result(target, "1") is None


def test_scratch_of_killed_jobs_is_removed_and_that_of_living_ones_kept(tmp_path):
    code = "import sys, time; from pathlib import Path; from lungprep.shards.scratch import *\n"
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
    with scratch.scratch(tmp_path) as folder:
        assert sorted(tmp_path.iterdir()) == sorted([folder, kept])
    living.kill()
    for process in (killed, living):
        process.communicate()


def test_a_removal_that_is_cut_off_is_made_good(tmp_path, monkeypatch):
    def cut_off(path, **_):
        raise KeyboardInterrupt

    left = tmp_path / f"{scratch.PREFIX}{os.uname().nodename}-left"
    (left / "work").mkdir(parents=True)
    for name in (scratch.HELD, "cohort.csv"):
        (left / name).touch()
    with monkeypatch.context() as patch:
        patch.setattr(scratch.shutil, "rmtree", cut_off)
        with pytest.raises(KeyboardInterrupt):
            scratch._remove(left)
    with scratch.scratch(tmp_path):
        assert not left.exists()


def test_no_folder_of_others_is_swept(tmp_path, monkeypatch):
    name = f"{scratch.PREFIX}{os.uname().nodename}-"
    secret = tmp_path / "thesis.tex"
    secret.write_text("years of work")
    folders = [tmp_path / f"{name}{n}" for n in range(2)]
    for folder in folders:
        folder.mkdir()
    (folders[0] / scratch.HELD).symlink_to(secret)
    (folders[1] / scratch.HELD).touch()
    (tmp_path / f"{name}link").symlink_to(folders[1])
    (tmp_path / f"{scratch.PREFIX}other-node-1").mkdir()
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(scratch.os, "getuid", lambda: tmp_path.stat().st_uid + 1)
        with scratch.scratch(tmp_path) as own:
            assert sorted(tmp_path.iterdir()) == sorted([*before, own])
    with scratch.scratch(tmp_path) as own:
        assert not folders[1].exists(), "this one is of a killed job"
    assert secret.read_text() == "years of work"
    assert folders[0].exists()


def test_where_no_locks_are_known_nothing_is_swept(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOSYS, "no locks")

    left = tmp_path / f"{scratch.PREFIX}{os.uname().nodename}-left"
    left.mkdir()
    (left / scratch.HELD).touch()
    monkeypatch.setattr(scratch.fcntl, "flock", unsupported)
    with scratch.scratch(tmp_path):
        assert left.exists()


def test_a_shard_whose_list_is_removed_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(allocation, "LOOK_S", 0.1)
    answers = iter([True, False])
    allocation._run(["sleep", "60"], tmp_path, lambda: next(answers), print)


def test_an_error_is_the_last_line_of_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit), allocation.told_in(str(tmp_path / "log"), "7"):
        raise WorkspaceError("the list is gone", "run again")
    assert (tmp_path / "log").read_text() == "shard 7: the list is gone; run again\n"


def test_lists_lie_where_no_patient_does():
    from lungprep.cohort.patients import ACCEPTED_ID

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
