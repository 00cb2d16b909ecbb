"""One run in a folder; what a killed one left is removed, and nothing that lives is."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lungprep.errors import WorkspaceBusy, WorkspaceError
from lungprep.workspace import holders, runlock
from lungprep.workspace.runlock import JOBS, MARK, RUN, Job, Lock, lock_run

SCRIPTS = Path(__file__).parents[2] / "scripts"
HOLD = """
import sys, time
from pathlib import Path
sys.path.append({scripts!r})
from lungprep.workspace import runlock
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
    with pytest.raises(WorkspaceBusy, match="the run of this job has ended"), Job(tmp_path):
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


USELESS = """
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
int flock(int file, int how) {
    const char *error = getenv("FLOCK_ERRNO");
    if (!error) return 0;
    errno = atoi(error);
    return -1;
}
"""


@pytest.fixture(params=["0 for everybody", errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def useless(request, tmp_path_factory):
    """Environment in which locks keep nobody out, or are unknown."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    folder = tmp_path_factory.mktemp("shim")
    (folder / "flock.c").write_text(USELESS)
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", folder / "flock.so", folder / "flock.c"], check=True
    )
    number = {"FLOCK_ERRNO": str(request.param)} if isinstance(request.param, int) else {}
    return {"LD_PRELOAD": str(folder / "flock.so"), **number}


def second(tmp_path, body=RUNS, **environ):
    """Line of a second process that can't begin; empty if it could."""
    code = f"import sys; sys.path.append({str(SCRIPTS)!r})\n"
    code += "from pathlib import Path; from lungprep.workspace import holders, runlock\n"
    code += "from lungprep.errors import LungprepError\n"
    code += f"folder = Path({str(tmp_path)!r})\nrunlock.LOOKS, runlock.SETTLE_S = 20, 0.1\n"
    code += "holders.SILENT_S = 1\n"
    code += f"try:\n    {body}\nexcept LungprepError as error:\n    print(error)\n"
    environ = {k: v for k, v in os.environ.items() if k != MARK} | environ
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_where_locks_are_useless_the_signature_keeps_a_second_run_out(tmp_path, other, useless):
    first = other(RUNS, **useless)
    line = second(tmp_path, **useless)
    assert line.startswith(f"another run is at work in {tmp_path.parents[1]} (process {first.pid} ")
    assert f"on {os.uname().nodename}); let it end" in line
    assert line.endswith(f"if you are sure that it is gone, remove {tmp_path / RUN}")
    first.kill()
    first.wait()
    assert second(tmp_path, **useless) == ""


def test_where_locks_are_useless_the_job_of_a_dead_run_is_killed(tmp_path, other, useless):
    job = other(WORKS, **useless)
    assert second(tmp_path, **useless) == ""
    assert job.wait(5) == -signal.SIGKILL


ELSEWHERE = {"boot": "of another machine", "namespace": "pid:[1]", "host": "node7"}


@pytest.fixture
def left(tmp_path):
    """The lock file of a run on another node; `left(age)` makes it look that many seconds old."""

    def sign(age_s, **fields):
        (tmp_path / RUN).write_text(json.dumps({**holders.myself(), **ELSEWHERE, **fields}))
        then = time.time() - age_s
        os.utime(tmp_path / RUN, (then, then))

    return sign


def test_a_run_on_another_node_that_shows_life_is_let_be(tmp_path, left, monkeypatch):
    """Its lock is not seen here, as on NFS with locks kept to each node."""
    left(5)
    monkeypatch.setattr(holders, "LOOK_S", 0.05)
    said = []
    toucher = threading.Timer(0.5, os.utime, [tmp_path / RUN])
    toucher.start()
    with pytest.raises(WorkspaceBusy, match=r"process \d+ on node7, last sign of life \d s ago\)"):
        lock_run(tmp_path, said.append)
    toucher.join()
    assert said == ["waiting up to 30 s to see whether another run is alive"]
    assert json.loads((tmp_path / RUN).read_text())["host"] == "node7"


@pytest.mark.parametrize(
    ("fields", "local", "taken"),
    [
        ({}, False, False),
        ({}, True, True),
        # After a reboot, or in another container of this machine.
        ({"host": os.uname().nodename}, False, True),
        ({"boot": holders.myself()["boot"]}, False, True),
    ],
    ids=["other node", "local disk", "reboot", "container"],
)
def test_a_silent_run_is_dead_where_that_is_sure(tmp_path, left, monkeypatch, fields, local, taken):
    left(9000, **fields)
    monkeypatch.setattr(holders, "is_local", lambda path: local)
    monkeypatch.setattr(runlock, "SETTLE_S", 0.01)
    if taken:
        lock_run(tmp_path).release()
        assert (tmp_path / RUN).read_text() == ""
    else:
        with pytest.raises(WorkspaceBusy, match=rf"9\d\d\d s ago\); .* remove {tmp_path / RUN}$"):
            lock_run(tmp_path)


def test_a_run_that_ended_leaves_no_signature(tmp_path):
    assert second(tmp_path) == ""
    assert (tmp_path / RUN).read_text() == ""


def test_of_two_that_sign_at_once_one_goes_on(tmp_path, monkeypatch):
    """Where no lock tells them apart, the last signature counts."""
    monkeypatch.setattr(holders, "is_local", lambda path: False)
    monkeypatch.setattr(runlock, "SETTLE_S", 0.5)
    rival = threading.Timer(
        0.2, (tmp_path / RUN).write_text, [json.dumps({**holders.myself(), **ELSEWHERE})]
    )
    rival.start()
    with pytest.raises(WorkspaceBusy, match="on node7"):
        lock_run(tmp_path)
    rival.join()


def test_a_holder_touches_its_file_and_learns_of_its_successor(tmp_path, monkeypatch):
    monkeypatch.setattr(holders, "BEAT_S", 0.02)
    lock, lost = Lock(tmp_path / RUN), threading.Event()
    assert lock.take()
    os.utime(tmp_path / RUN, (0, 0))
    lock.keep(lost.set)
    deadline = time.monotonic() + 20
    while holders.touched(tmp_path / RUN) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not lost.is_set()
    (tmp_path / RUN).write_text(json.dumps({**holders.myself(), **ELSEWHERE, "since": 1}))
    assert lost.wait(20)
    lock.release()
    assert json.loads((tmp_path / RUN).read_text())["host"] == "node7"


def test_a_zombie_is_dead_and_a_process_is_known_by_its_start():
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    child.stdout.read()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert holders.started(child.pid) == ""
    child.communicate()
    assert holders.started(os.getpid()) == holders.myself()["started"] != ""
    assert holders.is_alive({**holders.myself(), "started": "0"}) is False


MOUNTS = """\
1 0 0:1 / / rw - overlay overlay rw
2 1 0:2 / {0} rw shared:1 - ext4 /dev/sda rw
3 2 0:3 / {0}/nfs\\040share rw - nfs4 server:/ rw
4 2 0:4 / {0}/lustre rw - lustre mds:/ rw
5 4 0:5 / {0}/lustre rw - tmpfs tmpfs rw
6 2 0:6 / {0}/Träger rw - cifs //server/x rw
"""


@pytest.mark.parametrize(
    ("place", "local"),
    [("", True), ("nfs share/a", False), ("lustre/a", True), ("nfs", True), ("Träger/a", False)],
)
def test_disks_of_this_machine_are_told_from_shares(tmp_path, monkeypatch, place, local):
    read = Path.read_text
    monkeypatch.setattr(
        Path, "read_text",
        lambda path, *a, **k: MOUNTS.format(tmp_path) if path.name == "mountinfo" else read(path),
    )  # fmt: skip
    assert holders.is_local(tmp_path / place) == local


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_what_is_no_lock_file_gets_one_line(tmp_path, make):
    make(tmp_path / RUN)
    with pytest.raises(WorkspaceError, match=rf"{tmp_path / RUN} can't be written \(.*\); make"):
        lock_run(tmp_path)


def test_a_pipe_in_the_place_of_the_lock_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / RUN)
    with pytest.raises(WorkspaceError, match=r"run\.lock can't be written \(it is not a file\)"):
        lock_run(tmp_path)
