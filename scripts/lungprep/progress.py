"""How far a run is, told from Snakemake's log events."""

import logging
import time
from logging.handlers import QueueHandler
from pathlib import Path

LAST_RULE = "publish"
CHATTER = {"job_started", "job_finished", "progress"}


class Progress(logging.Handler):
    """Counts patients from the events that Snakemake attaches to its log records.

    After each patient one line goes back into the same logger, and so to the terminal and to the
    run's log file alike.

    Parameters
    ----------
    logs : Path
        Folder of the jobs' logs, ``{rule}/{patient}.log``.

    Attributes
    ----------
    total : int
        Patients to do.
    published : list of str
        Patients published so far.
    failures : dict of str to str
        Last line of the failed job's log, by patient.
    failed_in : dict of str to str
        The rule that failed, by patient.
    """

    def __init__(self, logs: Path) -> None:
        super().__init__()
        self._logs = logs
        self.total = 0
        self.failures: dict[str, str] = {}
        self.failed_in: dict[str, str] = {}
        self.published: list[str] = []
        self._jobs: dict[int, tuple[str, str]] = {}
        self._start = time.monotonic()
        self._logger = logging.getLogger(__name__)

    def attach(self, logger: logging.Logger) -> None:
        """Follow a logger, and speak through it.

        Terminal and log file are spared what a line for each patient replaces. Logger plugins,
        which are fed by a queue, get every event.
        """
        self._logger = logger
        for handler in logger.handlers:
            if not isinstance(handler, QueueHandler):
                handler.addFilter(is_news)
        logger.addHandler(self)

    # Snakemake's formatter takes a message as it is, so ours are complete and have no arguments.
    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a job that started, finished or failed."""
        event = getattr(getattr(record, "event", None), "value", None)
        if event == "job_info":
            wildcards = getattr(record, "wildcards", None) or {}
            job = (str(getattr(record, "rule_name", "")), str(wildcards.get("patient", "")))
            self._jobs[int(record.jobid)] = job  # type: ignore[attr-defined]
            # A job that dies before it opens its log must not be judged by that of an earlier run.
            (self._logs / job[0] / f"{job[1]}.log").unlink(missing_ok=True)
        elif event == "job_finished":
            rule, patient = self._jobs.get(int(record.job_id), ("", ""))  # type: ignore[attr-defined]
            if rule == LAST_RULE:
                self.published.append(patient)
                self._logger.info(f"published {patient}; {self._tally()}")
        elif event == "job_error":
            rule, patient = self._jobs.get(int(record.jobid), ("", ""))  # type: ignore[attr-defined]
            if patient and patient not in self.failures:
                self.failed_in[patient] = rule
                self.failures[patient] = last_line(self._logs / rule / f"{patient}.log", patient)
                self._logger.error(f"failed {self.failures[patient]}")
                self._logger.info(self._tally())

    def _tally(self) -> str:
        over = len(self.published) + len(self.failures)
        left = (time.monotonic() - self._start) / over * (self.total - over)
        return (
            f"{len(self.published)} of {self.total} done, {len(self.failures)} failed, "
            f"about {duration(left)} left"
        )


def is_news(record: logging.LogRecord) -> bool:
    """Drop what Snakemake says of each job, and of a failed command that gets a line of ours."""
    event = getattr(getattr(record, "event", None), "value", None)
    if event == "error":
        return "CalledProcessError" not in str(record.msg)
    said_better = ("Select jobs to execute", "Exiting because a job execution failed")
    return event not in CHATTER and not str(record.msg).startswith(said_better)


def duration(seconds: float) -> str:
    """A span of time in its two largest units, such as ``2 h 05 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def last_line(log: Path, patient: str) -> str:
    """Last line of a job's log; a job that was killed may have left none."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    if lines and lines[-1].startswith(f"{patient}: "):
        return lines[-1]
    return f"{patient}: its job was killed, interrupted or out of memory; see {log}, run again"
