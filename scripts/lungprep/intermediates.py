"""The files that the steps of a patient hand on to one another, and their removal."""

import os
import shutil
import stat
from pathlib import Path

from lungprep.errors import WorkspaceError

NAMES = (
    "hu.npy",
    "load.json",
    "resampled.npy",
    "resample.json",
    "lungs.npy",
    "segment.json",
    "preview.png",
    "published",
    "failure.json",
)
# Left by a job whose patient's data are at fault: the type of the error.
FAILURE = "failure.json"
# What the first step has found at the source.
LOADED = "load.json"
MOVE = "move it elsewhere, then run again"


def make_folder(path: Path) -> None:
    """Make the folder for those of all patients, if there is none.

    Raises
    ------
    WorkspaceError
        If there can't be one.
    """
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        raise WorkspaceError(f"{path} is no folder", MOVE) from None
    except OSError as error:
        raise WorkspaceError(
            f"{path} can't be made ({error.strerror})", "make it writable, then run again"
        ) from error


def clear(folder: Path) -> None:
    """Remove a patient's intermediates, whatever they are, and the folder if it is then empty.

    Half-written ones go too, and links and folders of their names. Nothing else is touched: a
    folder ``work`` may have been there before lungprep was.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.

    Raises
    ------
    WorkspaceError
        If something else has the place of the folder, or can't be removed.
    """
    try:
        for path in _ours(folder):
            remove(path)
        if folder.is_dir() and not any(folder.iterdir()):
            remove(folder)
        elif folder.is_symlink() and not folder.exists():
            folder.unlink()
    except OSError as error:
        raise WorkspaceError(
            f"{error.filename} can't be removed ({error.strerror})", "remove it, then run again"
        ) from error
    if os.path.lexists(folder) and not folder.is_dir():
        raise WorkspaceError(f"{folder} is no folder", MOVE)


def remove(path: Path) -> None:
    """Remove a file, a link without what it leads to, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def empty(folder: Path) -> None:
    """Free the disk of a patient's intermediates, but leave their names.

    Snakemake gives up a whole run where it misses the input of a job that it means to try again.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.
    """
    for path in _ours(folder):
        # Not through a link, which leads to a file of others.
        if stat.S_ISREG(path.lstat().st_mode):
            os.truncate(path, 0)


def _ours(folder: Path) -> list[Path]:
    """What lies in the folder that jobs have made, or were making."""
    if not folder.is_dir():
        return []
    names = [path for name in NAMES for path in (folder / name, *folder.glob(f"{name}.[0-9]*"))]
    return [path for path in names if os.path.lexists(path)]
