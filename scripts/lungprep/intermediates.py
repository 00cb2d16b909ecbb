"""The files that the steps of a patient hand on to one another, and their removal."""

import os
from pathlib import Path

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


def clear(folder: Path) -> None:
    """Remove a patient's intermediates, half-written ones too, and the folder if it is then empty.

    Nothing else is touched: a folder ``work`` may have been there before lungprep was.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.
    """
    for path in _ours(folder):
        path.unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def empty(folder: Path) -> None:
    """Free the disk of a patient's intermediates, but leave their names.

    Snakemake gives up a whole run where it misses the input of a job that it means to try again.

    Parameters
    ----------
    folder : Path
        ``work/{patient}``; it need not exist.
    """
    for path in _ours(folder):
        os.truncate(path, 0)


def _ours(folder: Path) -> list[Path]:
    """What lies in the folder that jobs have made, or were making."""
    if not folder.is_dir():
        return []
    names = [path for name in NAMES for path in (folder / name, *folder.glob(f"{name}.[0-9]*"))]
    return [path for path in names if path.is_file()]
