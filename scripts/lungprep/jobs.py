"""What every job does around its work: a log, a bill, and one line when it fails."""

import logging
import resource
import sys
import time
from pathlib import Path
from traceback import format_tb
from types import TracebackType
from typing import Any, NoReturn, Self

from lungprep.errors import LungprepError, WorkspaceBusy, printable
from lungprep.intermediates import FAILURE, empty
from lungprep.records import write_record
from lungprep.runlock import FOLDER, Job
from lungprep.verdicts import as_designed, read_verdict, told, verdict_on, write_verdict

STATUS = Path("/proc/self/status")


class Step:
    """Context of one job on one patient.

    Messages of the library go to the job's log file. A `LungprepError` ends the process with the
    line *who: what was found; what to do*, which is also the last of the log; a bug leaves its
    traceback there, without its text, which may quote a value of a header. An attempt after one
    whose error no attempt can change ends at once, by the same line.

    Parameters
    ----------
    patient : str
        Who.
    log : str or Path
        The job's log file, ``logs/{rule}/{patient}.log``.
    output : str or Path
        A file that the job makes. All intermediates of the patient, which lie beside it, are
        emptied if the job fails for good: the next run starts from the source anyway, and a cohort
        of failures would fill the disk.
    """

    def __init__(self, patient: str, log: str | Path, output: str | Path) -> None:
        self.patient = patient
        self._log = Path(log)
        self._folder = Path(output).parent
        self._job = Job(FOLDER)
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        handler = logging.FileHandler(self._log, mode="w", encoding="utf-8", errors="replace")
        handler.setFormatter(LogLine("%(message)s"))
        logging.basicConfig(handlers=[handler], level=logging.INFO)
        logging.captureWarnings(True)
        try:
            self._job.__enter__()
        except WorkspaceBusy as error:
            self._end(str(error))
        earlier = read_verdict(self._folder)
        if earlier is not None and not earlier.transient:
            self._end(earlier.text)
        (self._folder / FAILURE).unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            logging.info("%s: done in %.1f s, peak %.0f MB", self.patient, *self.usage().values())
        elif isinstance(error, KeyboardInterrupt):
            self._end("interrupted; run again")
        elif isinstance(error, Exception):
            if type(as_designed(error)) is LungprepError:
                logging.error("", exc_info=(type(error), error, traceback))
            verdict = verdict_on(self._log.parent.name, error, self._folder)
            if not verdict.transient:
                empty(self._folder)
            write_verdict(self._folder, verdict)
            self._end(verdict.text)
        self._job.__exit__()

    def _end(self, text: str) -> NoReturn:
        logging.error("%s: %s", self.patient, text)
        self._job.__exit__()
        sys.exit(1)

    def usage(self) -> dict[str, float]:
        """Wall seconds since the step began and peak resident memory of its process, MB."""
        return {"seconds": round(time.perf_counter() - self._start, 2), "peak_mb": peak_mb()}

    def record(self, path: str, fields: dict[str, Any]) -> None:
        """Write the step's record, with its usage so far."""
        write_record(path, {**fields, "usage": self.usage()})


class LogLine(logging.Formatter):
    """Each message on a line of its own, whatever the names in it; tracebacks without texts."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """See `logging.Formatter.formatMessage`."""
        return printable(super().formatMessage(record).rstrip())

    def formatException(  # noqa: N802
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | Any
    ) -> str:
        """See `logging.Formatter.formatException`."""
        lines, error = [], ei[1]
        while error is not None:
            where = "".join(format_tb(error.__traceback__))
            lines.append(f"Traceback, last call last:\n{where}{told(error)}")
            error = error.__cause__ or error.__context__
        return "\n\nwhich came of\n\n".join(lines)


def peak_mb() -> float:
    """Peak resident memory of this process so far, in units of 1024² bytes."""
    try:
        status = STATUS.read_text(errors="replace")
    except FileNotFoundError:
        # Not Linux. There it would not do: a process takes over the peak of the one that forked it.
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)
