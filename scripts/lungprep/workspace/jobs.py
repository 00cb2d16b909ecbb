"""Common frame of all jobs: log, record of resource usage, and one line on failure."""

import logging
import resource
import sys
import time
from pathlib import Path
from traceback import format_tb
from types import TracebackType
from typing import Any, NoReturn, Self

from lungprep.errors import LungprepError, WorkspaceBusy, printable
from lungprep.workspace.intermediates import FAILURE, empty
from lungprep.workspace.records import write_record
from lungprep.workspace.runlock import FOLDER, Job
from lungprep.workspace.verdicts import as_designed, read_verdict, told, verdict_on, write_verdict

STATUS = Path("/proc/self/status")


class Step:
    """Context of one job on one patient.

    Messages of the library go to the job's log file. A `LungprepError` ends the process with the
    line *who: found; remedy*, which is also the last line of the log. A bug leaves its traceback in
    the log, without its text, which may quote a header's value. If an earlier attempt ended with an
    error that no retry can cure, this attempt ends at once, with the same line.

    Parameters
    ----------
    patient : str
        Patient id.
    log : str or Path
        Log file of the job, ``logs/{rule}/{patient}.log``.
    output : str or Path
        An output file of the job. If the job fails for good, all intermediates of the patient in
        the same folder are emptied: the next run starts from the source anyway, and a cohort of
        failures would fill the disk.
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
        """Wall time since the start of the step, s, and peak resident memory of its process, MB."""
        return {"seconds": round(time.perf_counter() - self._start, 2), "peak_mb": peak_mb()}

    def record(self, path: str, fields: dict[str, Any]) -> None:
        """Write the step's record, with its usage so far."""
        write_record(path, {**fields, "usage": self.usage()})


class LogLine(logging.Formatter):
    """Each message on one line, whatever names it contains; tracebacks without error texts."""

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
        return "\n\ncaused by\n\n".join(lines)


def peak_mb() -> float:
    """Peak resident memory of this process so far, in units of 1024² bytes."""
    try:
        status = STATUS.read_text(errors="replace")
    except FileNotFoundError:
        # Not Linux. On Linux, ru_maxrss would include the peak of the parent before the fork.
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)
