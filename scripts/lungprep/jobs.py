"""What every job does around its work: a log, a bill, and one line when it fails."""

import logging
import resource
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lungprep.errors import DataError, LungprepError
from lungprep.intermediates import FAILURE, clear
from lungprep.records import write_record


class Step:
    """Context of one job on one patient.

    Messages of the library go to the job's log file. A `LungprepError` ends the process with the
    line *who: what was found; what to do*, which is also the last of the log; any other error
    leaves its traceback there.

    Parameters
    ----------
    patient : str
        Who.
    log : str or Path
        The job's log file.
    output : str or Path
        A file that the job makes. All intermediates of the patient, which lie beside it, are
        removed if the job fails: the next run starts from the source anyway, and a cohort of
        failures would fill the disk.
    """

    def __init__(self, patient: str, log: str | Path, output: str | Path) -> None:
        self.patient = patient
        self._log = Path(log)
        self._folder = Path(output).parent
        self._start = time.perf_counter()

    def __enter__(self) -> Self:
        logging.basicConfig(
            filename=self._log, filemode="w", level=logging.INFO, format="%(message)s"
        )
        logging.captureWarnings(True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            logging.info("%s: done in %.1f s, peak %.0f MB", self.patient, *self.usage().values())
            return
        clear(self._folder)
        if isinstance(error, DataError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_record(self._folder / FAILURE, {"error": type(error).__name__})
        if isinstance(error, LungprepError):
            line = f"{self.patient}: {error}"
        elif isinstance(error, Exception):
            logging.error("", exc_info=(type(error), error, traceback))
            line = (
                f"{self.patient}: unexpected {type(error).__name__}: {error}; report this as a bug"
            )
        else:
            return
        logging.error(line)
        sys.exit(1)

    def usage(self) -> dict[str, float]:
        """Wall seconds since the step began and peak resident memory of its process, MB."""
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "seconds": round(time.perf_counter() - self._start, 2),
            "peak_mb": round(peak_kb / 1024, 1),
        }

    def record(self, path: str, fields: dict[str, Any]) -> None:
        """Write the step's record, with its usage so far."""
        write_record(path, {**fields, "usage": self.usage()})
