"""What becomes of jobs, read from Snakemake's log records."""

import logging
import re
from collections.abc import Callable
from typing import Any, Protocol

# What Snakemake says of each job; a line of ours for each patient replaces it.
CHATTER = {"job_started", "job_finished", "progress"}
SAID_BETTER = (
    "Select jobs to execute", "Exiting because a job execution failed", "Trying to restart job"
)  # fmt: skip
RESTART = re.compile(r"Trying to restart job (\d+)\.")


class Listener(Protocol):
    """Who wants to know what becomes of jobs."""

    def job_started(self, jobid: int, rule: str, who: str) -> None:
        """Take note of a job; `who` is the patient or the shard."""

    def job_finished(self, jobid: int) -> None:
        """Take note that a job ended well."""

    def job_failed(self, jobid: int, said: str) -> None:
        """Take note that a job failed, and of what the executor says of it."""


class Events(logging.Handler):
    """Reads the events that Snakemake attaches to its log records.

    Parameters
    ----------
    listener : Listener
        Who is told of jobs.
    tries_again : callable
        Called with the number of a job before its next attempt.
    """

    def __init__(self, listener: Listener, tries_again: Callable[[int], None]) -> None:
        super().__init__()
        self._listener = listener
        self._tries_again = tries_again

    def emit(self, record: Any) -> None:
        """Hand an event on."""
        event = _event(record)
        if again := RESTART.fullmatch(str(record.msg)):
            self._tries_again(int(again[1]))
        elif event == "job_info":
            wildcards = getattr(record, "wildcards", None) or {}
            who = str(wildcards.get("patient", wildcards.get("shard", "")))
            rule = str(getattr(record, "rule_name", ""))
            self._listener.job_started(int(record.jobid), rule, who)
        elif event == "job_finished":
            self._listener.job_finished(int(record.job_id))
        elif event == "job_error":
            said = str(getattr(record, "rule_msg", None) or "")
            self._listener.job_failed(int(record.jobid), said)


def is_news(record: logging.LogRecord) -> bool:
    """Drop what Snakemake says of each job, and of a failed command that gets a line of ours."""
    event = _event(record)
    if event == "error":
        return "CalledProcessError" not in str(record.msg)
    return event not in CHATTER and not str(record.msg).startswith(SAID_BETTER)


def _event(record: Any) -> str | None:
    value = getattr(getattr(record, "event", None), "value", None)
    return None if value is None else str(value)
