"""What jobs ask for: memory, cores and time, by the patients and the executor."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from lungprep.image.methods import METHODS
from lungprep.resources.budgets import Budget
from lungprep.resources.machine import spare_mb
from lungprep.run.engine import Engine
from lungprep.run.progress import RETRIES
from lungprep.shards import aws_batch
from lungprep.shards.messages import PER_JOB
from lungprep.shards.sizes import load_mb_of, shard_mb, shard_minutes
from lungprep.shards.slurm import check_job
from lungprep.workspace.jobs import peak_mb

# Patients whose two requests each take more than some seconds together.
MANY = 2000


class JobSizes:
    """What each job of a run asks for.

    Parameters
    ----------
    config : dict
        The complete config.
    engine : Engine
        Snakemake.
    budget : Budget
        Memory by estimate.
    logger : Logger
        Snakemake's.
    environ : mapping
        Environment of this process.
    """

    def __init__(
        self,
        config: dict[str, Any],
        engine: Engine,
        budget: Budget,
        logger: logging.Logger,
        environ: Mapping[str, str],
    ) -> None:
        self._config = config
        self._engine = engine
        self._logger = logger
        self._environ = environ
        #: Memory of the jobs of each patient.
        self.budget = budget
        # The job of a shard is a Snakemake too, and would try again within what the first attempt
        # was given.
        self.retries = RETRIES if engine.is_main else 0

    @property
    def segment_threads(self) -> int:
        """Cores of a segmentation."""
        return METHODS[self._method].threads

    @property
    def patients_per_job(self) -> int | None:
        """Patients of a job; none where each step of each patient is a job of this machine."""
        asked: int | None = self._config["patients_per_job"]
        return PER_JOB if asked is None and self._engine.is_remote else asked

    @property
    def on_aws_batch(self) -> bool:
        """Whether this run sends jobs there, or is the job: the service sets a variable for it."""
        return "AWS_BATCH_JOB_ID" in self._environ or self._engine.executor == "aws-batch"

    def look_up(self, patients: list[str]) -> None:
        """Estimate the memory of patients by their objects, and limit that of all jobs together."""
        if len(patients) > MANY:
            self._logger.info(f"looking up the objects of {len(patients)} patients")
        self.budget.look_up(patients)
        if self._engine.jobs_run_here:
            self._limit_memory(len(patients))

    def load_mb(self, patient: str, attempt: int) -> int:
        """Memory by the patient's objects, which a job of a cluster looks up for itself."""
        if not self._engine.is_main:
            self.budget.look_up([patient])
        return self.budget.load(patient, attempt)

    def shard_mb(
        self, shard: str, patients: Iterable[str] | None, threads: int, attempt: int
    ) -> int:
        """Memory by the patients of the shard, whose list tells the job of it."""
        load_mb = self.budget.largest_mb(patients) if patients else load_mb_of(self._config, shard)
        mb = shard_mb(self._method, threads, load_mb, attempt)
        return aws_batch.accepted_mb(threads, mb) if self.on_aws_batch else mb

    def shard_minutes(self, threads: int, attempt: int) -> int:
        """Time of a shard's job."""
        return shard_minutes(self._method, threads, self.patients_per_job or PER_JOB, attempt)

    def check_executor(self) -> None:
        """Refuse a run whose executor would take none of its jobs, not the smallest one.

        Raises
        ------
        ConfigError
            If it would take none.
        """
        least = self._engine.smallest("shard", "mem_mb")
        if least is None:
            return
        threads, resources = least
        if self._engine.executor == "slurm":
            check_job(resources, threads)
        elif self._engine.executor == "aws-batch":
            longest_s = 60 * self.shard_minutes(threads, RETRIES + 1)
            timeout_s = self._engine.task_timeout_s
            aws_batch.check_job(threads, resources["mem_mb"], longest_s, timeout_s)

    @property
    def _method(self) -> str:
        return str(self._config["segment"]["method"])

    def _limit_memory(self, patients: int) -> None:
        """Lower what all jobs may take together to what the machine can spare; never raise it.

        Without any limit of the user's, Snakemake would start as many jobs as there are cores.
        """
        given_mb, spare = self._engine.memory_mb, spare_mb(peak_mb(), patients)
        if spare is not None and (given_mb is None or spare < given_mb):
            change = f", not {given_mb}: mem_mb is lowered" if given_mb else ": mem_mb is set"
            self._logger.warning(f"this machine can spare {spare} MB for jobs{change} to that")
            self._engine.memory_mb = given_mb = spare
        self.budget.limit_mb = given_mb
