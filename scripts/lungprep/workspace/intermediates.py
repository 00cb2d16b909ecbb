"""Files that the steps of a patient pass on to one another, and their removal."""

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
# Written by a job that failed: its verdict.
FAILURE = "failure.json"
# Record of the first step, with its findings at the source.
LOADED = "load.json"
MOVE = "move it elsewhere, then run again"


def make_folder(path: Path) -> None:
    """Create the parent folder of all patients' folders, if it is absent.

    Raises
    ------
    WorkspaceError
        If it can't be created.
    """
    try:
        path.mkdir(exist_ok=True)
    except FileExistsError:
        raise WorkspaceError(f"{path} is not a folder", MOVE) from None
    except OSError as error:
        raise WorkspaceError(
            f"{path} can't be created ({error.strerror})", "make it writable, then run again"
        ) from error


def clear(folder: Path) -> None:
    """Remove a patient's intermediates, whatever their type, and the folder if it is then empty.

    Half-written files go too, and so do links and folders with these names. Everything else stays:
    a folder ``work`` may have existed before lungprep used it.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.

    Raises
    ------
    WorkspaceError
        If the folder's path is not a folder, or a file can't be removed.
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
        raise WorkspaceError(f"{folder} is not a folder", MOVE)


def remove(path: Path) -> None:
    """Remove a file, a link but not its target, or a folder with its content."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def empty(folder: Path) -> None:
    """Free the disk space of a patient's intermediates, but keep their names.

    Snakemake stops the whole run if an input of a job that it wants to retry is missing.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.
    """
    for path in _ours(folder):
        # Do not follow links: they may lead to other people's files.
        if stat.S_ISREG(path.lstat().st_mode):
            os.truncate(path, 0)


def _ours(folder: Path) -> list[Path]:
    """Files in the folder that jobs have written, completely or not."""
    if not folder.is_dir():
        return []
    names = [path for name in NAMES for path in (folder / name, *folder.glob(f"{name}.[0-9]*"))]
    return [path for path in names if os.path.lexists(path)]
