"""Scratch folders of jobs on their node, removed with their job or by the next one."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lungprep.workspace.holders import is_alive
from lungprep.workspace.runlock import Lock

PREFIX = "lungprep-"
HELD = "held"


@contextmanager
def scratch(tmp: Path) -> Iterator[Path]:
    """Create a folder that is removed afterwards, and remove those of killed jobs on this node.

    Parameters
    ----------
    tmp : Path
        Parent folder, if the node has it: one of the login node may be absent here.
    """
    tmp = tmp if tmp.is_dir() else Path(tempfile.gettempdir())
    # On a shared disk, locks of other nodes may be invisible.
    prefix = f"{PREFIX}{os.uname().nodename}-"
    for left in tmp.glob(f"{prefix}*"):
        _sweep(left)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=tmp))
    held = Lock(folder / HELD)
    try:
        held.take()
        yield folder
    finally:
        _remove(folder)
        held.release()


def _sweep(folder: Path) -> None:
    """Remove the folder of a killed job, if it belongs to this user and its lock is free."""
    # In a world-writable folder, names prove nothing.
    with suppress(OSError):
        if folder.lstat().st_uid != os.getuid() or not stat.S_ISDIR(folder.lstat().st_mode):
            return
        file = os.open(folder / HELD, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # If locks are not reliable, the signature decides.
            if not is_alive(Lock(folder / HELD).holder()):
                _remove(folder)
        finally:
            os.close(file)


def _remove(folder: Path) -> None:
    """Remove a scratch folder, its lock last: the next job then finds it after an interruption."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != HELD:
                path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
