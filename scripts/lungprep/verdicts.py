"""Why a job failed: what it leaves for the run, and for its own next attempt."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from errno import EDQUOT, EIO, ENOSPC, EROFS
from pathlib import Path

from lungprep.errors import DataError, LungprepError, OutOfMemory, WorkspaceError
from lungprep.intermediates import FAILURE, LOADED
from lungprep.records import read_record, write_record

# Of the working folder, not of the patient: nothing that a job does can help.
DISK = {EDQUOT, EIO, ENOSPC, EROFS}
#: Errors that are the machine's, and so not another one's.
NODE = {"DiskFull", WorkspaceError.__name__}


@dataclass(frozen=True)
class Verdict:
    """Why a job failed.

    Attributes
    ----------
    step : str
        The rule.
    error : str
        Type of the error.
    text : str
        What was found; what to do.
    transient : bool
        Whether another attempt may end better.
    data : bool
        Whether the patient's data are at fault.
    source : str
        Digest of the very listing that was judged; empty where none was.
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
        The rule.
    error : Exception
        What ended it.
    folder : Path, optional
        Where the first step of the patient has left its record.
    """
    designed = as_designed(error)
    name = type(error if type(designed) is LungprepError else designed).__name__
    data = isinstance(designed, DataError)
    source = (designed.source or _loaded(folder)) if isinstance(designed, DataError) else ""
    return Verdict(step, name, str(designed), designed.transient, data, source)


def _loaded(folder: Path | None) -> str:
    """Digest of the listing of which a later step has the volume."""
    if folder is not None:
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(read_record(folder / LOADED)["source"]["digest"])
    return ""


def as_designed(error: Exception) -> LungprepError:
    """The error as one that a user can read; of type `LungprepError` itself for a bug of ours."""
    if isinstance(error, LungprepError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("the job ran out of memory", "run again with fewer jobs at a time")
    if isinstance(error, OSError) and error.errno in DISK:
        where = f"{error.filename} failed" if error.filename else "the disk of work/ failed"
        return WorkspaceError(f"{where}: {error.strerror}", "free or repair it, then run again")
    return LungprepError(f"unexpected {told(error)}", "report this as a bug")


def told(error: BaseException) -> str:
    """What may be told of an error that is none of ours: its type, and what the system said."""
    name = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return name


def write_verdict(folder: Path, verdict: Verdict) -> None:
    """Leave a verdict in the patient's folder; a disk that takes nothing gets none."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        write_record(folder / FAILURE, asdict(verdict))


def read_verdict(folder: Path) -> Verdict | None:
    """What the last job of a patient left, if it failed by itself; a killed one leaves nothing."""
    try:
        return Verdict(**read_record(folder / FAILURE))
    except (OSError, ValueError, TypeError):
        return None
