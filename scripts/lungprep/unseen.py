"""What Snakemake does not see while it plans: leftovers of earlier runs, and their locks.

A run does each of its patients from the slices on, so nothing that lies in ``work/`` has a bearing
on the plan. But Snakemake would look at all of it, and stop, a dry run too, where it meets a link
that leads nowhere or a file in the place of a folder.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path, PurePath
from typing import Any

from lungprep.errors import WorkspaceError

# Without one of these Snakemake ends in a traceback.
FOLDERS = (
    "auxiliary", "conda", "conda-archive", "incomplete", "iocache", "locks", "metadata", "shadow",
    "singularity",
)  # fmt: skip


def hide_leftovers(iocache: Any, flags: Iterable[str]) -> None:
    """Let folders count as empty until the plan stands; the run clears them before its first job.

    Parameters
    ----------
    iocache : snakemake.io.IOCache
        What Snakemake knows of files by now.
    flags : iterable of str
        A file in each of the folders.
    """
    # Snakemake's own name; a test holds it against the version in use.
    iocache.exists_local.has_inventory |= {str(PurePath(flag).parent) for flag in flags}


def leave_no_trace(persistence: Any) -> None:
    """Let a dry run look on while another run is at work or lies dead, and where it may not write.

    Snakemake would say "Directory cannot be locked", and go on all the same; and it would keep what
    it knows of files, by which leftovers are hidden.
    """
    # As above.
    persistence.lock = nullcontext
    persistence.save_iocache = lambda: None


def make_workspace(folder: Path) -> None:
    """Make Snakemake's folders in the working directory, before it tries itself.

    Raises
    ------
    WorkspaceError
        If it can't be made.
    """
    try:
        for path in (folder, *(folder / name for name in FOLDERS)):
            path.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"{path.resolve()} can't be made ({error.strerror})",
            "make the working directory writable, or run in another one",
        ) from error
