"""Scratch folders of jobs on their node, which go with their jobs, or with the next one."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lungprep.holders import is_alive
from lungprep.runlock import Lock

PREFIX = "lungprep-"
HELD = "held"


@contextmanager
def scratch(tmp: Path) -> Iterator[Path]:
    """A folder that is gone afterwards; those of killed jobs on this node go too.

    Parameters
    ----------
    tmp : Path
        Where it is made, if the node has it: a login node's may not be there.
    """
    tmp = tmp if tmp.is_dir() else Path(tempfile.gettempdir())
    # Where the folder is on a shared disk, locks of other nodes may not be seen.
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
    """Remove a folder of a killed job, if it is ours and nobody holds it."""
    # In a folder that all may write to, names prove nothing.
    with suppress(OSError):
        if folder.lstat().st_uid != os.getuid() or not stat.S_ISDIR(folder.lstat().st_mode):
            return
        file = os.open(folder / HELD, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Where locks hold for nobody, its signature tells.
            if not is_alive(Lock(folder / HELD).holder()):
                _remove(folder)
        finally:
            os.close(file)


def _remove(folder: Path) -> None:
    """Remove a scratch folder; its lock last, by which the next job finds it if this is cut off."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != HELD:
                path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
