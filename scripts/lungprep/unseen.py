"""What Snakemake does not see while it plans: leftovers of earlier runs, and their locks.

A run does each of its patients from the slices on, so nothing that lies in ``work/`` has a bearing
on the plan. But Snakemake would look at all of it, and stop, a dry run too, where it meets a link
that leads nowhere or a file in the place of a folder.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import PurePath
from typing import Any


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


def ask_no_lock(persistence: Any) -> None:
    """Let a dry run look on while another run is at work, or lies dead.

    Snakemake would say "Directory cannot be locked", and go on all the same.
    """
    # As above.
    persistence.lock = nullcontext
