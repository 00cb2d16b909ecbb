"""Locks: one run at a time in a working directory, and no job that outlives its run.

The kernel releases a file lock when the holding process ends, for whatever reason. So a free lock
proves that no run is active, even after a crash. Snakemake's own lock files prove nothing, and
would have to be removed by hand. But file systems that several machines shard may keep locks local
to a machine, or not support them. There, and as a second proof everywhere, the holder's signature
in the file counts; see `holders`.
"""

import atexit
import fcntl
import json
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from errno import EACCES, EAGAIN, EINVAL
from pathlib import Path
from typing import Any

from lungprep.errors import WorkspaceBusy, WorkspaceError
from lungprep.workspace import holders
from lungprep.workspace.intermediates import remove

FOLDER = Path(".snakemake/lungprep")
RUN = "run.lock"
JOBS = "jobs"
# Folder of Snakemake's lock files, which also remain after crashes.
SNAKEMAKE = "locks"
# Environment variable that tells jobs which run they belong to.
MARK = "LUNGPREP_RUN"
LOOKS = 50
PAUSE_S = 0.1
# Time in which two runs that start together see each other's signature, s.
SETTLE_S = 1.0


class Lock:
    """File that its holder keeps locked, and touches, while it is alive.

    Parameters
    ----------
    path : Path
        Path of the file, created if absent. It names its holder, or one that never released it.

    Attributes
    ----------
    is_proof : bool
        Whether the file system's locks work, at least among processes of this machine.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_proof = False
        self._file: int | None = None
        self._over = threading.Event()

    def take(self, say: Callable[[str], None] = lambda line: None) -> bool:
        """Lock the file and sign it.

        Parameters
        ----------
        say : callable
            Called with a line about a wait.

        Returns
        -------
        bool
            False if another process holds the lock, by the kernel or by its signature.

        Raises
        ------
        WorkspaceError
            If the file can't be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                if not stat.S_ISREG(os.fstat(file).st_mode):
                    # Reading a pipe might never end.
                    raise OSError(EINVAL, "it is not a file")
                if not self._lock(file) or self._is_at_work(say):
                    os.close(file)
                    return False
                os.ftruncate(file, 0)
                os.pwrite(file, json.dumps(holders.myself()).encode(), 0)
            except OSError:
                os.close(file)
                raise
        except OSError as error:
            raise WorkspaceError(
                f"{self.path} can't be written ({error.strerror})",
                "make the working directory writable, or run in another one",
            ) from error
        self._file = file
        return True

    def _lock(self, file: int) -> bool:
        """Lock the open file, and test whether locks work here; False if it is locked."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Any other error means that the file system does not support locks.
            self.is_proof = error.errno in (EAGAIN, EACCES)
            return not self.is_proof
        other = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.is_proof = True
        finally:
            os.close(other)
        return True

    def _is_at_work(self, say: Callable[[str], None]) -> bool:
        """Whether a holder that signed and never released is alive, or may be."""
        fields = self.holder()
        alive = holders.is_alive(fields) if fields else False
        if alive is not None:
            return alive
        if holders.is_beating(self.path, say):
            return True
        own = holders.myself()
        near = any(own[name] and fields.get(name) == own[name] for name in ("host", "boot"))
        return not (self.is_proof and (near or holders.is_local(self.path)))

    def keep(self, lost: Callable[[], None] = lambda: None) -> None:
        """Touch the file regularly until it is released; call `lost` if another run signs it."""
        file, mine = self._file, self.holder()

        def beat() -> None:
            while file is not None and not self._over.wait(holders.BEAT_S):
                with suppress(OSError):
                    os.utime(file)
                if self.holder().get("since", mine.get("since")) != mine.get("since"):
                    lost()
                    return

        threading.Thread(target=beat, daemon=True).start()

    def release(self) -> None:
        """Release the lock and remove the signature."""
        self._over.set()
        if self._file is not None:
            own = holders.myself()
            with suppress(OSError):
                if all(self.holder().get(name) == own[name] for name in ("pid", "started", "boot")):
                    os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def holder(self) -> dict[str, Any]:
        """Signature of the holder; empty if there is none."""
        with suppress(OSError, ValueError):
            fields = json.loads(self.path.read_text("utf-8"))
            if isinstance(fields, dict):
                return fields
        return {}

    def holder_in_words(self) -> str:
        """Process and machine of the holder, as text."""
        fields = self.holder()
        host = fields.get("host", "an unknown machine")
        return f"process {fields.get('pid', 'unknown')} on {host}"


def lock_run(folder: Path, say: Callable[[str], None] = lambda line: None) -> Lock:
    """Make this process the only run of a working directory, and end jobs of a killed run.

    Once no other run is active here, Snakemake's lock files are leftovers and are removed. Jobs
    that this process starts find in the environment which run they belong to.

    Parameters
    ----------
    folder : Path
        `FOLDER` of the working directory.
    say : callable
        Called with a line about a wait.

    Returns
    -------
    Lock
        Lock to keep until the run is over; it is released when the process ends.

    Raises
    ------
    WorkspaceBusy
        If another run uses the directory, or a job of a dead run is active on another machine.
    WorkspaceError
        If files can't be written in the working directory.
    """
    lock = Lock(folder / RUN)
    if not lock.take(say) or not _is_settled(lock):
        raise _busy(lock)
    os.environ[MARK] = lock.path.read_text("utf-8")
    atexit.register(lock.release)
    lock.keep(_followed)
    for path in sorted((folder / JOBS).glob("*")):
        if path.is_file() and not path.is_symlink():
            _end(Lock(path))
        remove(path)
    for path in (folder.parent / SNAKEMAKE).glob("*.lock"):
        remove(path)
    return lock


def _is_settled(lock: Lock) -> bool:
    """Whether no other run signed at the same time, in case locks did not exclude it."""
    if lock.is_proof and holders.is_local(lock.path):
        return True
    mine = lock.holder()
    time.sleep(SETTLE_S)
    return lock.holder() == mine


def _busy(lock: Lock) -> WorkspaceBusy:
    place, who = lock.path.parents[2], lock.holder_in_words()
    remedy = "let it end, or start this one in another folder"
    if holders.is_alive(lock.holder()) is None:
        ago = holders.age_s(lock.path)
        who += f", last sign of life {max(ago, 0):.0f} s ago"
    if not lock.is_proof or holders.is_alive(lock.holder()) is None:
        remedy += f"; if you are sure that it is gone, remove {lock.path}"
    return WorkspaceBusy(f"another run is at work in {place} ({who})", remedy)


def _followed() -> None:
    """End this run, because another run took it for dead and signed its lock."""
    sys.stderr.write("lungprep: another run has taken this folder over; this one ends\n")
    os.kill(os.getpid(), signal.SIGTERM)


def _end(job: Lock) -> None:
    """Kill a job whose run is dead, and wait for its end."""
    for _ in range(LOOKS):
        if job.take():
            job.release()
            return
        holder = job.holder()
        if holders.is_comparable(holder) and holder.get("host") == os.uname().nodename:
            with suppress(ProcessLookupError):
                os.kill(int(holder["pid"]), signal.SIGKILL)
        elif holders.is_alive(holder) is None:
            # Finding that out took a while; another look would not help.
            break
        time.sleep(PAUSE_S)
    raise WorkspaceBusy(
        f"a job of an earlier run is still at work in this folder ({job.holder_in_words()})",
        "end it, or let it end, then run again; if you are sure that it is gone, "
        f"remove {job.path}",
    )


class Job:
    """Context in which a process is registered as a job of its run.

    Parameters
    ----------
    folder : Path
        `FOLDER` of the working directory.

    Raises
    ------
    WorkspaceBusy
        On entering, if the run that started this process is dead and another one is active.
    """

    def __init__(self, folder: Path) -> None:
        self._run = folder / RUN
        self._lock = Lock(folder / JOBS / f"{os.uname().nodename}-{os.getpid()}")

    def __enter__(self) -> None:
        # Register before checking the run: a new run signs first, and only then looks for jobs.
        self._lock.take()
        self._lock.keep()
        mine = os.environ.get(MARK)
        if mine and self._run.exists() and self._run.read_text("utf-8") != mine:
            raise WorkspaceBusy(
                "the run of this job has ended", "let the next run process the patient"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.path.unlink(missing_ok=True)
        self._lock.release()
