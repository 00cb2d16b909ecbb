"""One run at a time in a working directory, and no job that outlives its run.

The kernel frees a file lock with the process that holds it, however that ends. So a lock that is
free proves that no run is at work, whatever a killed one left behind; Snakemake's own lock files
prove nothing, and would have to be removed by hand.
"""

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from errno import EACCES, EAGAIN
from pathlib import Path
from typing import Any

from lungprep.errors import WorkspaceBusy

FOLDER = Path(".snakemake/lungprep")
RUN = "run.lock"
JOBS = "jobs"
# Where Snakemake names the files of its runs, dead ones too.
SNAKEMAKE = "locks"
# Environment variable by which jobs know which run they belong to.
MARK = "LUNGPREP_RUN"
LOOKS = 50
PAUSE_S = 0.1


class Lock:
    """A file that its holder keeps locked as long as it lives.

    Parameters
    ----------
    path : Path
        The file; made if absent. It says who holds it, or held it last.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: int | None = None

    def take(self, *, wait: bool = False) -> bool:
        """Lock the file and sign it.

        Returns
        -------
        bool
            False if another process holds it. Where the file system knows no locks, nobody does.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError as error:
            if error.errno in (EAGAIN, EACCES):
                os.close(file)
                return False
        os.ftruncate(file, 0)
        os.write(file, json.dumps(_self()).encode())
        self._file = file
        return True

    def release(self) -> None:
        """Free the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def holder(self) -> dict[str, Any]:
        """What the holder signed with; empty while it has not."""
        with suppress(OSError, ValueError):
            fields = json.loads(self.path.read_text())
            if isinstance(fields, dict):
                return fields
        return {}

    def holder_in_words(self) -> str:
        """Process and machine of the holder."""
        fields = self.holder()
        host = fields.get("host", "an unknown machine")
        return f"process {fields.get('pid', 'unknown')} on {host}"


def lock_run(folder: Path) -> Lock:
    """Make this process the run of a working directory, and end what a killed one left at work.

    With no other run here, Snakemake's locks are of a dead one and are removed.
    Jobs that are started from now on know by the environment that they are ours.

    Parameters
    ----------
    folder : Path
        `FOLDER` of the working directory.

    Returns
    -------
    Lock
        To be kept until the run is over.

    Raises
    ------
    WorkspaceBusy
        If another run is at work here, or a job of a dead one on another machine.
    """
    lock = Lock(folder / RUN)
    if not lock.take():
        raise WorkspaceBusy(
            f"another run is at work in {folder.parent.parent} ({lock.holder_in_words()})",
            "let it end, or start this one in another folder",
        )
    os.environ[MARK] = lock.path.read_text()
    for path in sorted((folder / JOBS).glob("*")):
        _end(Lock(path))
        path.unlink(missing_ok=True)
    for path in (folder.parent / SNAKEMAKE).glob("*.lock"):
        path.unlink()
    return lock


def _end(job: Lock) -> None:
    """Kill a job whose run is dead, and wait until it is gone."""
    for _ in range(LOOKS):
        if job.take():
            job.release()
            return
        holder, own = job.holder(), _self()
        if all(holder.get(name) == own[name] for name in ("host", "namespace")):
            with suppress(ProcessLookupError):
                os.kill(int(holder["pid"]), signal.SIGKILL)
        time.sleep(PAUSE_S)
    raise WorkspaceBusy(
        f"a job of an earlier run is still at work in this folder ({job.holder_in_words()})",
        "end it, or let it end, then run again",
    )


class Job:
    """Context in which a process is known as a job of its run.

    Parameters
    ----------
    folder : Path
        `FOLDER` of the working directory.

    Raises
    ------
    WorkspaceBusy
        On entering, if the run that started this process is dead and another one is at work.
    """

    def __init__(self, folder: Path) -> None:
        self._run = folder / RUN
        self._lock = Lock(folder / JOBS / f"{os.uname().nodename}-{os.getpid()}")

    def __enter__(self) -> None:
        # First known, then sure of the run: the next run signs first, and then looks for jobs.
        self._lock.take()
        mine = os.environ.get(MARK)
        if mine and self._run.exists() and self._run.read_text() != mine:
            raise WorkspaceBusy("the run of this job is over", "leave it to the next one")

    def __exit__(self, *_: object) -> None:
        self._lock.path.unlink(missing_ok=True)
        self._lock.release()


def _self() -> dict[str, Any]:
    """Who this process is: its id means something on its machine and in its namespace only."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return {
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "namespace": namespace,
        "since": time.time_ns(),
    }
