"""Verdicts: reasons for which jobs failed, recorded for the run and for the next attempt."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from errno import EDQUOT, EIO, ENOSPC, EROFS
from pathlib import Path

from lungprep.errors import DataError, LungprepError, OutOfMemory, WorkspaceError
from lungprep.workspace.intermediates import FAILURE, LOADED
from lungprep.workspace.records import read_record, write_record

# Errors of the working folder's disk, not of the patient: no job can cure them.
DISK = {EDQUOT, EIO, ENOSPC, EROFS}
#: Errors of this machine, which need not occur on another one.
NODE = {"DiskFull", WorkspaceError.__name__}


@dataclass(frozen=True)
class Verdict:
    """Reason why a job failed.

    Attributes
    ----------
    step : str
        Rule that failed.
    error : str
        Type of the error.
    text : str
        Problem and remedy, as *found; remedy*.
    transient : bool
        Whether another attempt may succeed.
    data : bool
        Whether the patient's data are at fault.
    source : str
        Digest of the listing that was judged; empty without one.
    """

    step: str
    error: str
    text: str
    transient: bool
    data: bool
    source: str = ""


def verdict_on(step: str, error: Exception, folder: Path | None = None) -> Verdict:
    """Judge an error that ended a job.

    Parameters
    ----------
    step : str
        Rule of the job.
    error : Exception
        Exception that ended it.
    folder : Path, optional
        Folder with the record of the patient's first step.
    """
    designed = as_designed(error)
    name = type(error if type(designed) is LungprepError else designed).__name__
    data = isinstance(designed, DataError)
    source = (designed.source or _loaded(folder)) if isinstance(designed, DataError) else ""
    return Verdict(step, name, str(designed), designed.transient, data, source)


def _loaded(folder: Path | None) -> str:
    """Digest of the listing from which the volume of a later step was loaded."""
    if folder is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(read_record(folder / LOADED)["source"]["digest"])
    return ""


def as_designed(error: Exception) -> LungprepError:
    """Error in a form that users can read; for a bug, of the base type `LungprepError`."""
    if isinstance(error, LungprepError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("the job ran out of memory", "run again with fewer jobs at a time")
    if isinstance(error, OSError) and error.errno in DISK:
        where = f"{error.filename} failed" if error.filename else "the disk of work/ failed"
        return WorkspaceError(f"{where}: {error.strerror}", "free or repair it, then run again")
    return LungprepError(f"unexpected {told(error)}", "report this as a bug")


def told(error: BaseException) -> str:
    """What a foreign error may reveal: its type, and the system's text."""
    name = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return name


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Write a verdict into the patient's folder, unless the disk refuses."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder / FAILURE, asdict(verdict))


def read_verdict(folder: Path) -> Verdict | None:
    """Verdict of the patient's last job, if it failed by itself; a killed job leaves none."""
    try:
        return Verdict(**read_record(folder / FAILURE))
    except (OSError, ValueError, TypeError):
        return None
