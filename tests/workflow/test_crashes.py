"""Whatever ended a run, the same command ends with the same bytes and leaves nothing behind."""

import io
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three, wait_for

KILLS = int(os.environ.get("LUNGPREP_KILLS", "4"))
PATIENTS = int(os.environ.get("LUNGPREP_PATIENTS", "4"))
MOUNT, UMOUNT = "/usr/bin/mount", "/usr/bin/umount"
PHANTOM = list(slices(chest(), COARSE))


def digests(lab):
    """SHA-256 of both arrays, by patient; one patient's content is that of all others."""
    sidecars = [k.removesuffix(".json") for k in lab.published() if k.endswith(".json")]
    return {p: [lab.sidecar(p)[k]["sha256"] for k in ("npy", "lungs_npy")] for p in sidecars}


def kill_run(running):
    """Kill Snakemake alone: its jobs go on as orphans."""
    running.kill()
    running.wait()


def assert_clean(lab):
    assert not [p for p in (lab.folder / "work").rglob("*") if p.is_file()]


def test_killed_at_any_moment(lab, server):
    """Snakemake alone is killed, time and again, so its jobs go on while the next run begins."""
    chance = random.Random(KILLS)  # noqa: S311
    patients = [f"P{n:02d}" for n in range(PATIENTS)]
    for patient in patients:
        lab.admit(patient, PHANTOM)
    before = len(server.requests())
    runs = []
    for _ in range(KILLS):
        runs.append(lab.start(cores=2))
        time.sleep(chance.uniform(1, 9))
        kill_run(runs[-1])
    last = lab.run()
    for running in runs:
        running.stdout.close()
    assert last.returncode == 0, last.stdout
    assert "Traceback" not in last.stdout
    assert lab.published() == sorted(key for patient in patients for key in three(patient))
    assert len({tuple(pair) for pair in digests(lab).values()}) == 1
    assert_clean(lab)
    assert lab.missing() == [f"0 of {PATIENTS} patients"]

    counts = Counter((kind, *key.split("/")[-2:]) for kind, key in server.requests()[before:])
    sidecars = {counts["PUT", "out", f"{patient}.json"] for patient in patients}
    assert sidecars == {1}, "done is done"
    loads = sum(counts["GET", patient, PHANTOM[0][0]] for patient in patients)
    assert loads <= PATIENTS + 2 * KILLS, "two cores had two patients each time"


def solid(content):
    """A slice without any air, so that no lungs are found."""
    dataset = dcmread(io.BytesIO(content))
    stored = dataset.pixel_array
    tissue = 40 - int(dataset.RescaleIntercept)
    dataset.PixelData = np.maximum(stored, tissue).astype(stored.dtype).tobytes()
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def test_killed_among_patients_that_fail(lab):
    """At each step some fail, so that records are emptied; each dry run tells who is missing."""
    chance = random.Random(KILLS)  # noqa: S311
    airless = [(name, solid(content)) for name, content in PHANTOM]
    good, bad = [f"P{n}" for n in range(3)], [f"Q{n}" for n in range(3)]
    for patient in good:
        lab.admit(patient, PHANTOM)
    for patient in bad[:2]:
        lab.admit(patient, airless)
    lab.admit(bad[2], PHANTOM[:3])
    runs = []
    for _ in range(KILLS // 2):
        runs.append(lab.start(cores=2))
        time.sleep(chance.uniform(3, 9))
        kill_run(runs[-1])
        missing = {line.partition(":")[0].strip() for line in lab.missing()[1:]}
        done = {key.removesuffix(".json") for key in lab.published() if key.endswith(".json")}
        # Orphans may publish while the dry run looks.
        assert {*good, *bad} - done <= missing <= {*good, *bad}
    last = lab.run()
    for running in runs:
        running.stdout.close()
    assert last.returncode == 1
    assert "Traceback" not in last.stdout, last.stdout
    assert lab.published() == sorted(key for patient in good for key in three(patient))
    assert lab.missing() == ["3 of 6 patients", *(f"  {patient}: missing" for patient in bad)]
    assert (lab.folder / "logs/load/Q2.log").exists(), "a dry run removes no logs"
    assert_clean(lab)


SLOW = """
import os, sys, time
if ".snakemake/scripts" in " ".join(sys.orig_argv) and "publish" in " ".join(sys.orig_argv):
    import lungprep.publish.publishing as publishing
    whole = publishing.npy
    def slow(array):
        open(os.environ["SPY"], "a").write(f"{os.getpid()}\\n")
        time.sleep(30)
        return whole(array)
    publishing.npy = slow
"""
PATH = str(Path(__file__).parents[2] / "scripts")


def spy(lab, code, **environ):
    """Environment in which each Python process of a run starts with some code."""
    folder = lab.folder.parent / "spy"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(code)
    return {"PYTHONPATH": f"{folder}:{PATH}", "SPY": str(folder / "log"), **environ}


def test_no_job_outlives_its_run(lab):
    """An orphan of a killed run is ended before the next run makes the same files."""
    lab.admit("P1", PHANTOM)
    environ = spy(lab, SLOW)
    running = lab.start(environ=environ)
    wait_for(Path(environ["SPY"]).exists, running)
    kill_run(running)
    orphan = int(Path(environ["SPY"]).read_text())
    assert Path(f"/proc/{orphan}").exists()
    again = lab.run()
    running.stdout.close()
    assert again.returncode == 0, again.stdout
    assert not is_running(orphan)
    assert_clean(lab)


def is_running(pid):
    """A process that has ended and that nobody has waited for is not running."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


KILL_FIRST = """
import os, signal, sys
words = " ".join(sys.orig_argv)
if ".snakemake/scripts" in words and os.environ["STEP"] in words:
    try:
        os.close(os.open(os.environ["SPY"], os.O_CREAT | os.O_EXCL))
        os.kill(os.getpid(), signal.SIGKILL)
    except FileExistsError:
        pass
"""


@pytest.mark.parametrize("step", ["load", "segment", "publish"])
def test_a_killed_job_is_done_again(lab, step):
    """As by the kernel when memory runs out."""
    lab.admit("P1", PHANTOM)
    done = lab.run(environ=spy(lab, KILL_FIRST, STEP=step))
    assert done.returncode == 0, done.stdout
    assert "trying P1 again: its job was killed, interrupted or out of memory" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("published 1 patients")
    assert "published 1 patients to" in done.stdout
    assert " 0 failed" in done.stdout.rstrip().splitlines()[-1]
    assert_clean(lab)


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_stopped_by_hand(lab, signal_):
    for n in range(6):
        lab.admit(f"P{n}", PHANTOM)
    running = lab.start(cores=2)
    wait_for(lab.published, running)
    # Ctrl-C reaches the whole group; kill reaches Snakemake alone.
    if signal_ == signal.SIGINT:
        os.killpg(running.pid, signal_)
    else:
        running.send_signal(signal_)
    output, _ = running.communicate(timeout=60)
    assert running.returncode not in (0, -signal.SIGKILL)
    assert "Traceback" not in output, output
    assert "Killed" not in output
    last = output.rstrip().splitlines()[-1]
    assert re.search(r"published \d patients to .* 0 failed, .* \d not reached", last), output
    again = lab.run()
    assert again.returncode == 0, again.stdout
    assert len(digests(lab)) == 6
    assert len({tuple(pair) for pair in digests(lab).values()}) == 1
    assert_clean(lab)


KILLED_LATE = """
import os, signal, sys, time
if ".snakemake/scripts" in " ".join(sys.orig_argv):
    open(os.environ["SPY"], "a").write("attempt\\n")
    time.sleep(3)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_job_that_dies_after_ctrl_c_is_not_started_again(lab):
    lab.admit("P1", PHANTOM)
    environ = spy(lab, KILLED_LATE)
    running = lab.start(environ=environ)
    wait_for(Path(environ["SPY"]).exists, running)
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 1, output
    assert Path(environ["SPY"]).read_text() == "attempt\n"
    assert "Traceback" not in output
    assert "trying P1 again" not in output
    assert output.rstrip().endswith(" 0 failed, 0 were done before, 1 not reached"), output


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 6 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        [MOUNT, "-t", "tmpfs", "-o", "size=6M", "tmpfs", disk], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("disks can only be mounted by root")
    yield disk
    subprocess.run([UMOUNT, "-l", disk], check=True)


def test_full_disk(lab, small_disk):
    lab.admit("P1", PHANTOM)
    lab.folder = small_disk / "machine"
    lab.folder.mkdir()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(5_400_000))
    done = lab.run()
    assert done.returncode == 1, done.stdout
    assert "P1: " in done.stdout
    assert "No space left on device; free or repair it, then run again" in done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    assert lab.published() == []
    ballast.unlink()
    again = lab.run()
    assert again.returncode == 0, again.stdout
    assert lab.published() == three("P1")
    assert_clean(lab)


def test_full_target(lab, folder, small_disk):
    lab.admit("P1", PHANTOM)
    from lungprep.stores import S3Options, open_store
    from lungprep.stores.address import parse_address

    lab.target = open_store(parse_address("target", str(small_disk / "npy")), S3Options())
    (small_disk / "ballast").write_bytes(bytes(6_200_000))
    done = lab.run()
    assert done.returncode == 1, done.stdout
    assert "No space left on device; check the disk, then run again" in done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    assert not [k for k in lab.published() if k.endswith(".json")]
    (small_disk / "ballast").unlink()
    assert lab.run().returncode == 0
    assert three("P1") == lab.published()


def test_read_only_target_stops_before_any_job(lab, small_disk):
    lab.admit("P1", PHANTOM)
    from lungprep.stores import S3Options, open_store
    from lungprep.stores.address import parse_address

    (small_disk / "npy").mkdir()
    lab.target = open_store(parse_address("target", str(small_disk / "npy")), S3Options())
    subprocess.run([MOUNT, "-o", "remount,ro", small_disk], check=True)
    done = lab.run()
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("lungprep: ")]
    assert len(lines) == 1, done.stdout
    assert "Read-only file system" in lines[0]
    assert not (lab.folder / "logs/load/P1.log").exists()


def test_two_runs_on_one_target_both_end_right(lab, tmp_path):
    for n in range(4):
        lab.admit(f"P{n}", PHANTOM)
    first = lab.start(cores=1)
    second = lab.start(cores=1, cwd=tmp_path / "other machine")
    for running in (first, second):
        output, _ = running.communicate(timeout=200)
        assert running.returncode == 0, output
    assert len(digests(lab)) == 4
    assert len({tuple(pair) for pair in digests(lab).values()}) == 1
    assert lab.missing() == ["0 of 4 patients"]


def test_leftovers_of_a_killed_run_go_even_if_nothing_is_left_to_do(lab):
    lab.admit("P1", PHANTOM)
    assert lab.run().returncode == 0
    (lab.folder / "work/P1").mkdir(parents=True)
    for name in ("published", "hu.npy", "hu.npy.123"):
        (lab.folder / "work/P1" / name).write_bytes(b"left")
    again = lab.run()
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout
    assert_clean(lab)


def test_a_run_in_which_nothing_goes_stops(lab):
    """As when a token expires: no patient's data are at fault, and all others would fail too."""
    lab.folder.mkdir()
    rows = [f"P{n:02d},s3://no-such-bucket/P{n:02d}/" for n in range(30)]
    lab.admit("present", PHANTOM[:1])
    (lab.folder / "cohort.csv").write_text("\n".join(["patient,prefix", *rows]) + "\n")
    done = lab.run(patients="cohort.csv")
    assert done.returncode == 1
    assert "stopping: the last 10 patients failed, and none by its own data" in done.stdout
    summary = re.search(
        r"published 0 patients to .*, (\d+) failed, .*, (\d+) not reached", done.stdout
    )
    assert 10 <= int(summary[1]) <= 12, done.stdout
    assert int(summary[1]) + int(summary[2]) == 30
    assert "Traceback" not in done.stdout
