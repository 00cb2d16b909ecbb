"""The folder ``.snakemake``, made before Snakemake tries itself."""

from pathlib import Path

from lungprep.errors import WorkspaceError

# Without one of these Snakemake ends in a traceback.
FOLDERS = (
    "auxiliary", "conda", "conda-archive", "incomplete", "iocache", "locks", "metadata", "shadow",
    "singularity",
)  # fmt: skip


def make_workspace(folder: Path) -> None:
    """Make Snakemake's folders in the working directory.

    Parameters
    ----------
    folder : Path
        ``.snakemake``.

    Raises
    ------
    WorkspaceError
        If they can't be made.
    """
    try:
        for path in (folder, *(folder / name for name in FOLDERS)):
            path.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"{path.resolve()} can't be made ({error.strerror})",
            "make the working directory writable, or run in another one",
        ) from error
