"""One run in a folder; what a killed one left is removed, and nothing that lives is."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lungprep import runlock
from lungprep.errors import WorkspaceBusy
from lungprep.runlock import JOBS, MARK, RUN, Job, Lock, lock_run

SCRIPTS = Path(__file__).parents[1] / "scripts"
HOLD = """
import sys, time
from pathlib import Path
sys.path.append({scripts!r})
from lungprep import runlock
folder = Path({folder!r})
{body}
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Starts other processes that hold locks; they are killed in the end."""
    started = []

    def start(body, **environ):
        code = HOLD.format(scripts=str(SCRIPTS), folder=str(tmp_path), body=body)
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **environ},
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


RUNS = "lock = runlock.lock_run(folder)"
WORKS = "runlock.Job(folder).__enter__()"


@pytest.fixture(autouse=True)
def no_run(monkeypatch):
    """The mark that `lock_run` leaves in the environment must not reach other tests."""
    monkeypatch.setenv(MARK, "")
    monkeypatch.setattr(runlock, "LOOKS", 5)
    monkeypatch.setattr(runlock, "PAUSE_S", 0.02)


def test_a_second_run_is_refused_by_name(tmp_path, other):
    first = other(RUNS)
    with pytest.raises(WorkspaceBusy, match=rf"another run .*\(process {first.pid} on .*; let it"):
        lock_run(tmp_path)
    first.kill()
    first.wait()
    lock_run(tmp_path).release()


def test_jobs_of_a_killed_run_are_killed_first(tmp_path, other):
    jobs = [other(WORKS), other(WORKS)]
    lock = lock_run(tmp_path)
    assert [job.wait(5) for job in jobs] == [-signal.SIGKILL] * 2
    assert not list((tmp_path / JOBS).iterdir())
    lock.release()


def test_a_job_on_another_machine_is_waited_for(tmp_path, other):
    job = other(WORKS)
    path = next((tmp_path / JOBS).iterdir())
    path.write_text(json.dumps({**json.loads(path.read_text()), "host": "node7"}))
    with pytest.raises(WorkspaceBusy, match=rf"\(process {job.pid} on node7\); end it, or let it"):
        lock_run(tmp_path)
    assert job.poll() is None


def test_a_process_id_of_long_ago_is_nobodys(tmp_path):
    """A job that was killed left its file, and its id is that of an innocent process by now."""
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    job = Job(tmp_path)
    job.__enter__()
    file = next((tmp_path / JOBS).iterdir())
    fields = {**json.loads(file.read_text()), "pid": innocent.pid}
    job.__exit__()
    file.write_text(json.dumps(fields))
    lock_run(tmp_path).release()
    time.sleep(0.1)
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_a_job_that_starts_after_its_run_was_followed_by_another_ends(tmp_path, monkeypatch):
    lock = lock_run(tmp_path)
    of_the_first = os.environ[MARK]
    with Job(tmp_path):
        assert len(list((tmp_path / JOBS).iterdir())) == 1
    assert not list((tmp_path / JOBS).iterdir())
    lock.release()
    second = lock_run(tmp_path)
    with Job(tmp_path):
        pass
    monkeypatch.setenv(MARK, of_the_first)
    with pytest.raises(WorkspaceBusy, match="the run of this job is over"), Job(tmp_path):
        pytest.fail("it must not work")
    second.release()


def test_a_job_elsewhere_knows_no_run(tmp_path, monkeypatch):
    """A node without the run's folder."""
    monkeypatch.setenv(MARK, "of a run on the head node")
    with Job(tmp_path):
        pass


def test_a_file_system_without_locks_stops_nobody(tmp_path, monkeypatch):
    def no_locks(file, how):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(runlock.fcntl, "flock", no_locks)
    assert Lock(tmp_path / RUN).take()
    lock_run(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff"])
def test_an_unreadable_signature_is_unknown(tmp_path, content):
    lock = Lock(tmp_path / RUN)
    (tmp_path / RUN).write_bytes(content)
    assert lock.holder() == {}
    assert lock.holder_in_words() == "process unknown on an unknown machine"
