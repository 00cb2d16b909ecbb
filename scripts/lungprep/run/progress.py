"""How far a run is, told from what becomes of its jobs."""

import logging
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from lungprep.cohort.tally import Tally
from lungprep.shards.dispatch import Dispatch
from lungprep.shards.messages import Result
from lungprep.workspace.intermediates import empty
from lungprep.workspace.verdicts import Verdict, read_verdict, write_verdict

LAST_RULE = "publish"
SHARDS = "shard"
# Where an engine's words on a failed job begin to lead elsewhere.
REFERRAL = re.compile(r"\. (?:Detailed|For further) ")
# Attempts after the first; of use to jobs that were killed, and to stores that were down.
RETRIES = 2
# So many patients failing one after the other, none by their own data: all others would too.
HOPELESS = 10
FULL_BYTES = 1 << 20
FULL = "the disk of work/ is full; free some space, then run again"
KILLED = "its job was killed, interrupted or out of memory; see {log}, run again"


class Progress:
    """Counts patients as their jobs end, and says a line after each.

    Where nothing goes any more, it stops the run.

    Parameters
    ----------
    logs : Path
        Folder of the jobs' logs, ``{rule}/{patient}.log``.
    work : Path
        Folder of the intermediates, ``{patient}/``.

    Attributes
    ----------
    total : int
        Patients to do in all rounds of the run.
    published : list of str
        Patients published so far in this round.
    failures : dict of str to Verdict
        Why a patient failed for good, in this round.
    dispatch : Dispatch or None
        Where the jobs are those of shards.
    is_stopping : callable
        Whether somebody said stop: then nothing is tried again.
    """

    def __init__(self, logs: Path, work: Path) -> None:
        self._logs = logs
        self._work = work
        self.total = 0
        self.failures: dict[str, Verdict] = {}
        self.published: list[str] = []
        self.dispatch: Dispatch | None = None
        self.is_stopping: Callable[[], bool] = lambda: False
        self._jobs: dict[int, tuple[str, str]] = {}
        self._attempts: dict[int, int] = {}
        self._in_vain = 0
        self._start = time.monotonic()
        self._earlier = (0, 0)
        self._logger = logging.getLogger(__name__)

    def resume(self, earlier: Tally, waiting: int) -> None:
        """Count on from the rounds that are over, with so many patients still to do."""
        self.total = len(earlier.tried) + waiting
        self._start = earlier.start
        self._earlier = (len(earlier.published), len(earlier.failures))

    def attach(
        self,
        logger: logging.Logger,
        give_up: Callable[[int], None] = lambda jobid: None,
        *,
        dry: bool = False,
    ) -> None:
        """Speak through a logger; `give_up` is called before the last word on a patient.

        Parameters
        ----------
        logger : Logger
            Snakemake's, whose lines reach the terminal and the run's log file alike.
        give_up : callable
            Takes the number of a job for which another attempt would be in vain.
        dry : bool
            Jobs are told and not started: logs of earlier ones stay.
        """
        self._logger, self._give_up, self._dry = logger, give_up, dry

    def job_started(self, jobid: int, rule: str, who: str) -> None:
        """Take note of a job; `who` is the patient or the shard."""
        self._jobs[jobid] = (rule, who)
        if not self._dry:
            # A job that dies before it opens its log must not be judged by an earlier one.
            with suppress(OSError):
                (self._logs / rule / f"{who}.log").unlink()

    # Snakemake's formatter takes a message as it is, so ours are complete and have no arguments.
    def job_finished(self, jobid: int) -> None:
        """Take note that a job ended well."""
        rule, who = self._jobs.get(jobid, ("", ""))
        if rule == LAST_RULE:
            self.published.append(who)
            self._in_vain = 0
            self._logger.info(f"published {who}; {self.tally()}")
        elif rule == SHARDS and self.dispatch:
            self._take(self.dispatch.collect(who))

    def job_failed(self, jobid: int, said: str) -> None:
        """Take note that a job failed, and of what the executor says of it, such as TIMEOUT."""
        rule, who = self._jobs.get(jobid, ("", ""))
        if rule == SHARDS and self.dispatch:
            self._shard_failed(jobid, who, said)
        elif who and who not in self.failures:
            self._attempts[jobid] = self._attempts.get(jobid, 0) + 1
            verdict = read_verdict(self._work / who) or self._killed(rule, who)
            if verdict.transient and self._attempts[jobid] <= RETRIES and self.is_stopping():
                self._give_up(jobid)
            elif verdict.transient and self._attempts[jobid] <= RETRIES:
                self._logger.info(f"trying {who} again: {verdict.text}")
            else:
                self._give_up(jobid)
                self._fail(who, verdict)

    def _killed(self, rule: str, patient: str) -> Verdict:
        """Verdict on a job that left none."""
        if self._work.is_dir() and shutil.disk_usage(self._work).free < FULL_BYTES:
            return Verdict(rule, "DiskFull", FULL, transient=False, data=False)
        log = self._logs / rule / f"{patient}.log"
        return Verdict(rule, "Killed", KILLED.format(log=log), transient=True, data=False)

    def _fail(self, patient: str, verdict: Verdict) -> None:
        self.failures[patient] = verdict
        empty(self._work / patient)
        write_verdict(self._work / patient, verdict)
        self._logger.error(f"failed {patient}: {verdict.text}")
        self._logger.info(self.tally())
        self._judge([verdict])

    def _judge(self, verdicts: Iterable[Verdict]) -> None:
        """Stop the run where one patient after the other fails, and not by their data."""
        before = self._in_vain
        for verdict in verdicts:
            self._in_vain = 0 if verdict.data else self._in_vain + 1
        if before < HOPELESS <= self._in_vain:
            self._logger.error(
                f"stopping: the last {self._in_vain} patients failed, and none by its own data"
            )
            # Snakemake waits for the jobs that are under way, and starts no more.
            os.kill(os.getpid(), signal.SIGTERM)

    def _shard_failed(self, jobid: int, shard: str, said: str) -> None:
        """Take note that the job of a shard was killed, or could not do all."""
        # Further lines are the engine's own commands.
        reason = REFERRAL.split((said.splitlines() or ["its job failed"])[0])[0]
        self._attempts[jobid] = self._attempts.get(jobid, 0) + 1
        log = self._logs / SHARDS / f"{shard}.log"
        if self.is_stopping():
            self._give_up(jobid)
        elif self._attempts[jobid] <= RETRIES:
            self._logger.info(f"sending shard {shard} again: {reason}; see {log}")
        elif self.dispatch:
            self._logger.error(f"shard {shard} failed {RETRIES + 1} times: {reason}; see {log}")
            self._take(self.dispatch.give_up(shard, reason, log))

    def settle(self) -> None:
        """Find out what became of the patients of shards that did not end well.

        Raises
        ------
        StoreError
            If the target does not answer.
        """
        if self.dispatch:
            self._take(self.dispatch.settle())

    def _take(self, result: Result) -> None:
        """Count the patients of a shard."""
        self.published += result.published
        self.failures |= result.failures
        for patient, verdict in result.failures.items():
            self._logger.error(f"failed {patient}: {verdict.text}")
        if result.published or result.failures:
            self._logger.info(f"published {len(result.published)} patients; {self.tally()}")
        if result.published:
            self._in_vain = 0
        # However many patients are in a shard that is lost, it is one failure.
        lost = [verdict for verdict in result.failures.values() if verdict.step == SHARDS]
        own = [verdict for verdict in result.failures.values() if verdict.step != SHARDS]
        self._judge([*own, *lost[:1]])

    def tally(self) -> str:
        """How many of all are done, how many failed, and how long the others will take."""
        published = self._earlier[0] + len(self.published)
        failed = self._earlier[1] + len(self.failures)
        over = published + failed
        left = (time.monotonic() - self._start) / over * (self.total - over)
        return f"{published} of {self.total} done, {failed} failed, about {duration(left)} left"


def duration(seconds: float) -> str:
    """A span of time in its two largest units, such as ``2 h 05 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
