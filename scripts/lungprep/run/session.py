"""What the rules ask for: the run, its memory, and what to do when Snakemake starts and ends."""

import atexit
import logging
import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lungprep.config.schema import complete, read_schema
from lungprep.errors import LungprepError
from lungprep.image.weights import check_weights
from lungprep.resources.budgets import Budget
from lungprep.resources.machine import choose_kernels
from lungprep.run.engine import Engine, check_version, job_scheduler, stop_at_any_time
from lungprep.run.job_sizes import JobSizes
from lungprep.run.rounds import by_command_line, take_up
from lungprep.run.shard_run import run_of
from lungprep.shards.no_shared_files import check_apart
from lungprep.workspace.snakemake_folder import make_workspace

TOUCH = (
    "--touch does nothing for this workflow: the target decides who is done, not the times of "
    "files here; leave it out"
)
# Who is to be done is done from the slices on: what an earlier run left in work/ may be of another
# recipe or source, and the target alone says what is done.
FROM_THE_SLICES_ON = ("load", "shard", "refuse")


class Session:
    """One Snakemake process: plans a run, or is a job of one.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        What Snakemake calls ``workflow``.
    config : dict
        The config as the user gave it.
    version : str
        Snakemake's.
    logger : Logger
        Snakemake's.
    environ : mutable mapping
        Environment of this process and of its jobs.

    Attributes
    ----------
    config : dict
        The complete config.
    sizes : JobSizes
        What jobs ask for.
    """

    def __init__(
        self,
        workflow: Any,
        config: dict[str, Any],
        version: str,
        logger: logging.Logger,
        environ: MutableMapping[str, str],
    ) -> None:
        self._engine = Engine(workflow)
        self._logger = logger
        with one_line():
            check_version(version)
            make_workspace(Path(".snakemake"))
            self.config = complete(config, read_schema())
            check_weights(self.config["segment"])
            self._run = run_of(self.config, take_up(self.config, environ), environ)
        budget = Budget(self.config, self._run.prefix, logger.warning, self._run.load_mb)
        self.sizes = JobSizes(self.config, self._engine, budget, logger, environ)
        choose_kernels(environ)

    def targets(self) -> list[str]:
        """Files that this run has to make, one per patient to do; with them, its reporting."""
        engine, run = self._engine, self._run
        if engine.runs_jobs and engine.only_touches:
            sys.exit(f"lungprep: {TOUCH}")
        # Under Snakemake's API there is no command that could be started again.
        in_rounds = by_command_line(sys.argv[0]) and not engine.has_batches
        self.sizes.budget.stale = engine.is_main
        if engine.is_dry_run:
            engine.plan_without_trace()
        with one_line():
            # Even with --nolock, which is about Snakemake's own locks: a second run would clear the
            # work/ of the first.
            if engine.runs_jobs and engine.is_main:
                run.lock(self._logger.warning)
            if engine.runs_jobs and engine.shares_no_files:
                # Kubernetes keeps them in a Secret.
                registered = engine.registered_variables() if self.sizes.on_aws_batch else ()
                check_apart(self.config, engine.storage_prefix, registered)
            targets = run.flags(in_rounds=in_rounds, per_job=self.sizes.patients_per_job)
            run.write_missing()
            if engine.runs_jobs and engine.is_main and not run.refusal():
                self.sizes.look_up(run.round)
        engine.redo(FROM_THE_SLICES_ON, targets)
        run.progress.attach(self._logger, engine.give_up, dry=engine.is_dry_run)
        engine.follow(self._logger, run.progress)
        atexit.register(self.end)
        return targets

    def start(self) -> None:
        """See to the working folder and the target before the first job."""
        refusal = self._run.refusal()
        if refusal:
            sys.exit(f"lungprep: {refusal}")
        self._engine.look_once_a_second()
        with one_line():
            self.sizes.check_executor()
            self._run.start(self.sizes.budget.load_mb)
            self.sizes.budget.stale = False
        note = self._run.abort_abandoned()
        if note:
            say(note)

    def settle(self) -> bool:
        """Find out what became of shards, and quarantine; whether all others are published."""
        try:
            # The job of a shard ends well whoever of its patients fails.
            self._run.settle()
            return self._run.quarantine()
        except LungprepError as error:
            say(str(error))
            return False

    def end(self) -> None:
        """Say last what matters most: who is missing, or who was published and who failed.

        Where the run has more rounds, the next one begins.
        """
        # What else is registered is called before a next round, this not again.
        atexit.unregister(self.end)
        run = self._run
        nothing_to_do = self._engine.has_executor and not run.plan.stale
        try:
            if self._engine.is_dry_run:
                sys.stdout.write(f"{run.missing()}\n")
                sys.stdout.flush()
            elif run.started or run.earlier.rounds or nothing_to_do:
                sys.stderr.write(f"{run.close()}\n")
                sys.stderr.flush()
        finally:
            run.end()

    def prefix(self, patient: str) -> str:
        """Address of the slices of a patient."""
        return self._run.prefix(patient)

    def series_uid(self, patient: str) -> str | None:
        """Series that the cohort file asks for."""
        return self._run.series_uid(patient)

    def shard_mb(self, shard: str, threads: int, attempt: int) -> int:
        """Memory of a shard's job."""
        return self.sizes.shard_mb(shard, self._run.shards.get(shard), threads, attempt)


@contextmanager
def one_line() -> Iterator[None]:
    """End the process by one line where what the user gave can't be used."""
    try:
        yield
    except LungprepError as error:
        sys.exit(f"lungprep: {error}")


def say(text: str) -> None:
    """Say a line beside Snakemake's own."""
    sys.stderr.write(f"lungprep: {text}\n")


def open_session(
    workflow: Any, config: dict[str, Any], version: str, logger: logging.Logger
) -> Session:
    """Begin, in each process that reads the Snakefile; parameters as of `Session`."""
    session = Session(workflow, config, version, logger, os.environ)
    # Here, because the jobs of an executor are started without onstart.
    stop_at_any_time(job_scheduler())
    return session
