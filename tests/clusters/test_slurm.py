"""Runs on a real SLURM, S3 to S3: whatever becomes of a job, the target ends as by a local run."""

import json
import os
import re
import signal
import tempfile
from pathlib import Path

import pytest

from clusters.slurm import FOLDER, LINK, missing, slurm, taken
from clusters.test_shards import PHANTOM, digests, papers, summary
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from programs import require
from workflow.conftest import ROOT, wait_for

PROFILE = ROOT / "profiles/slurm"
# As a user would not have it: jobs are small, and a test must not wait.
HASTE = {
    "slurm-init-seconds-before-status-checks": 1,
    "latency-wait": 5,
    "shard": 2,
}
COHORT = 6
# The first job that publishes waits, and may take memory: long enough to be hit, and once.
SLOW_ONCE = """
import os, sys, time
if ".snakemake/scripts" in " ".join(sys.orig_argv) and "publish" in " ".join(sys.orig_argv):
    try:
        os.close(os.open(os.environ["SPY"], os.O_CREAT | os.O_EXCL))
        held = b"\1" * (int(os.environ.get("HOG_MB", 0)) << 20)
        time.sleep(600)
    except FileExistsError:
        pass
"""


@pytest.fixture(scope="module")
def cluster():
    if os.geteuid() != 0:
        pytest.skip("only root can start SLURM's daemons")
    require(missing(), "SLURM")
    if taken():
        pytest.skip(f"{LINK} is there: this machine belongs to a SLURM already")
    # Not below pytest's own folder, whose path is too long for the sockets in it.
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder, slurm(Path(folder)) as running:
        yield running
    assert not LINK.is_symlink()


@pytest.fixture
def start(lab, cluster, tmp_path):
    """Starts a run with the profile as it stands, but for haste and what is given."""
    profile = tmp_path / "profile"
    profile.mkdir()
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy/sitecustomize.py").write_text(SLOW_ONCE)
    environ = {**lab.environ, "SLURM_CONF": str(cluster.conf), "TMPDIR": str(tmp_path / "node")}
    (tmp_path / "node").mkdir()

    def run(*, slow=False, hog_mb=0, **resources):
        text = (PROFILE / "config.yaml").read_text()
        for key, value in HASTE.items():
            text, found = re.subn(rf"(?m)^( *{key}): .*", rf"\1: {value}", text)
            assert found == 1, key
        for name, value in resources.items():
            text, found = re.subn(rf"(?m)^  # ({name}): .*", rf"  \1: {value}", text)
            assert found == 1, name
        (profile / "config.yaml").write_text(text)
        spied = {"PYTHONPATH": str(tmp_path / "spy"), "SPY": str(tmp_path / "hit")}
        spied["HOG_MB"] = str(hog_mb)
        return lab.start(
            *("--workflow-profile", str(profile)),
            cores=8,
            environ=environ | (spied if slow else {}),
            patients_per_job=2,
        )

    return run


@pytest.fixture(scope="module")
def local():
    """Digests of the patient by a run on this machine, once."""
    return []


def assert_right(lab, local):
    """All are published with the bytes of a local run, and nothing is left anywhere."""
    if not local:
        lab.folder.with_name("local").mkdir()
        row = f"P0,{lab.source.address}P0/"
        (lab.folder.with_name("local") / "one.csv").write_text(f"patient,prefix\n{row}\n")
        target = f"{lab.target.address}local/"
        done = lab.run(cwd=lab.folder.with_name("local"), patients="one.csv", target=target)
        assert done.returncode == 0, done.stdout
        store = open_store(parse_address("target", target), S3Options())
        facts = json.loads(store.read("P0.json"))
        local += [facts[key]["sha256"] for key in ("npy", "lungs_npy")]
    assert digests(lab) == {f"P{n}": local for n in range(COHORT)}
    assert papers(lab) == []
    assert not list((lab.folder.parent / "node").glob("lungprep-*"))
    assert lab.missing() == [f"0 of {COHORT} patients"]


def admit(lab):
    for n in range(COHORT):
        lab.admit(f"P{n}", PHANTOM)


def end(running):
    """Exit status and output of a run."""
    output, _ = running.communicate(timeout=120)
    return running.returncode, output


def hit(lab, running):
    """Wait until a job is at the point where it can be hit."""
    wait_for((lab.folder.parent / "hit").exists, running)


def once(lab, server):
    """How often each patient was published."""
    puts = [key for kind, key in server.requests() if kind == "PUT" and lab_key(lab) in key]
    return {n: sum(key.endswith(f"/P{n}.json") for key in puts) for n in range(COHORT)}


def lab_key(lab):
    return lab.target.address.prefix


def test_cohort(lab, start, cluster, local):
    admit(lab)
    status, output = end(start())
    assert status == 0, output
    assert f"published {COHORT} patients to" in summary(output)[0]
    assert "shard        3" in output
    assert len(list(lab.folder.glob("logs/shard/*.log"))) == 3
    assert_right(lab, local)


def test_cancelled_job(lab, start, cluster, server, local):
    admit(lab)
    running = start(slow=True)
    hit(lab, running)
    cluster.call("scancel", *cluster.jobs())
    status, output = end(running)
    assert status == 0, output
    assert re.search(r"sending shard .* again: .* SLURM status is: 'CANCELLED'", output), output
    assert set(once(lab, server).values()) == {1}, "done is done"
    assert_right(lab, local)


def test_killed_node(lab, start, cluster, server, local):
    admit(lab)
    running = start(slow=True)
    hit(lab, running)
    cluster.kill_node()
    cluster.start_node()
    status, output = end(running)
    assert status == 0, output
    assert re.search(r"sending shard .* again: .* due to a node failure", output), output
    assert set(once(lab, server).values()) == {1}, "done is done"
    assert_right(lab, local)


def test_job_over_its_time(lab, start, cluster, local):
    admit(lab)
    running = start(slow=True)
    hit(lab, running)
    for job in cluster.jobs():
        cluster.call("scontrol", "update", f"JobId={job}", "EndTime=now")
    status, output = end(running)
    assert status == 0, output
    assert re.search(r"sending shard .* again: .* SLURM status is: 'TIMEOUT'", output), output
    assert_right(lab, local)


def test_job_over_its_memory(lab, start, cluster, local):
    admit(lab)
    before = set(cluster.jobs("all"))
    running = start(slow=True, hog_mb=4000)
    hit(lab, running)
    status, output = end(running)
    assert status == 0, output
    # SLURM kills the step in the job, which thereupon fails.
    assert len(re.findall(r"sending shard .* again: .* SLURM status is: 'FAILED'", output)) == 1
    asked = cluster.call("squeue", "-h", "-t", "all", "-o", "%i %m").splitlines()
    asked = [mb for job, mb in map(str.split, asked) if job not in before]
    assert sorted(asked) == ["2600M", "2600M", "2600M", "3600M"]
    assert "exceeded memory limit" in (cluster.folder / "slurmd.log").read_text()
    assert_right(lab, local)


def test_stopped_by_hand(lab, start, cluster, local):
    admit(lab)
    running = start(slow=True)
    hit(lab, running)
    os.killpg(running.pid, signal.SIGINT)
    status, output = end(running)
    assert status != 0
    assert "Traceback" not in output, output
    assert re.search(r"published \d patients to .* 0 failed, .* \d not reached", output), output
    assert papers(lab) == []
    cluster.wait(lambda: not cluster.call("squeue", "-h"))
    status, output = end(start())
    assert status == 0, output
    assert_right(lab, local)


def test_wrong_partition(lab, start, cluster):
    admit(lab)
    status, output = end(start(slurm_partition="nowhere"))
    assert status == 1
    lines = [line for line in output.splitlines() if "nowhere" in line]
    assert len(lines) == 1, output
    assert lines[0].startswith("lungprep: SLURM refuses the jobs (")
    assert "invalid partition specified: nowhere; correct slurm_partition" in lines[0]
    assert papers(lab) == []
