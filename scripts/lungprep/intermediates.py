"""The files that the steps of a patient hand on to one another, and their removal."""

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
    if not folder.is_dir():
        return
    for name in NAMES:
        for path in (folder / name, *folder.glob(f"{name}.[0-9]*")):
            path.unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
