"""Snakemake's workflow as plain values."""

import logging
from collections.abc import Iterable
from contextlib import nullcontext
from logging.handlers import QueueHandler
from pathlib import PurePath
from typing import Any

from lungprep.run.engine.events import Events, Listener, is_news
from lungprep.run.engine.scheduler import OneTimer


class Engine:
    """Snakemake's workflow as plain values.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        What Snakemake calls ``workflow`` in a Snakefile.
    """

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow

    @property
    def is_main(self) -> bool:
        """Whether this process plans the run: not where it is a job of another one."""
        return bool(self._workflow.is_main_process)

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing is to be done."""
        return bool(self._workflow.dryrun)

    @property
    def has_executor(self) -> bool:
        """Whether jobs are planned at all, in a dry run too; not for ``--lint`` or ``--unlock``."""
        return self._workflow.executor_plugin is not None

    @property
    def runs_jobs(self) -> bool:
        """Whether jobs will be started."""
        return self.has_executor and not self.is_dry_run

    @property
    def only_touches(self) -> bool:
        """Whether ``--touch`` was given."""
        return bool(self._workflow.touch)

    @property
    def has_batches(self) -> bool:
        """Whether the user divides the cohort by hand, by ``--batch``."""
        return self._workflow.dag_settings.batch is not None

    @property
    def executor(self) -> str | None:
        """Name of the executor."""
        return self._workflow.executor_plugin.name if self.has_executor else None

    @property
    def is_remote(self) -> bool:
        """Whether jobs leave this machine; a dry run stands for the real run's executor."""
        if not self.has_executor:
            return False
        # A dry run has an executor of its own. All that is left of the real one is whether its jobs
        # are only waited for.
        awaited = self.is_dry_run and self._workflow.execution_settings.use_threads
        return bool(awaited or self._workflow.executor_plugin.common_settings.non_local_exec)

    @property
    def shares_no_files(self) -> bool:
        """Whether jobs see no file of this machine."""
        return bool(self._workflow.executor_plugin.common_settings.implies_no_shared_fs)

    @property
    def storage_prefix(self) -> str:
        """Where jobs leave their outputs that see no file of this machine."""
        return self._workflow.storage_settings.default_storage_prefix or ""

    @property
    def task_timeout_s(self) -> int:
        """Longest time of a job on AWS Batch."""
        return int(self._workflow.executor_settings.task_timeout)

    def registered_variables(self) -> tuple[str, ...]:
        """Variables of the environment that the executor writes into job definitions."""
        return tuple(self._workflow.spawned_job_args_factory.envvars())

    @property
    def jobs_run_here(self) -> bool:
        """Whether the jobs of this process take the memory of this machine."""
        return bool(self._workflow.local_exec)

    @property
    def memory_mb(self) -> int | None:
        """What all jobs may take together, by the user's ``--resources``."""
        given = self._workflow.global_resources.get("mem_mb")
        return None if given is None else int(given.value)

    @memory_mb.setter
    def memory_mb(self, mb: int) -> None:
        self._workflow.global_resources["mem_mb"] = mb

    def smallest(self, rule: str, resource: str) -> tuple[int, Any] | None:
        """Cores and resources of the job of a rule that asks for least of a resource."""
        jobs = [job for job in self._workflow.dag.needrun_jobs() if job.rule.name == rule]
        least = min(jobs, key=lambda job: job.resources[resource], default=None)
        return None if least is None else (least.threads, least.resources)

    def plan_without_trace(self) -> None:
        """Let a dry run look on while another run is at work, and where it may not write.

        Snakemake would say "Directory cannot be locked", and go on all the same; and it would keep
        what it knows of files, by which leftovers are hidden.
        """
        self._workflow.persistence.lock = nullcontext
        self._workflow.persistence.save_iocache = lambda: None

    def redo(self, rules: Iterable[str], targets: Iterable[str]) -> None:
        """Plan all jobs of rules, whatever files an earlier run left.

        Snakemake would look at leftovers, and stop, a dry run too, where it meets a link that leads
        nowhere or a file in the place of a folder. Their folders count as empty until the plan
        stands; the run clears them before its first job.

        Parameters
        ----------
        rules : iterable of str
            Names.
        targets : iterable of str
            A file in each of the folders.
        """
        dag, cache = self._workflow.dag, self._workflow.iocache
        dag.forcerules |= {self._workflow.get_rule(name) for name in rules}
        cache.exists_local.has_inventory |= {str(PurePath(path).parent) for path in targets}

    def give_up(self, jobid: int) -> None:
        """Spare a job the attempts that are left for it; a group has other patients too."""
        for job in self._workflow.scheduler.running:
            if not job.is_group() and job.jobid == jobid:
                job.attempt = job.rule.restart_times + 1

    def forget_resources(self, jobid: int) -> None:
        """Let the scheduler see what the next attempt asks for: it would keep the first one's."""
        for job in self._workflow.dag.jobs:
            if not job.is_group() and job.jobid == jobid:
                job._scheduler_resources = None

    def look_once_a_second(self) -> None:
        """Give the scheduler one timer in place of ever more; before it starts its first job.

        Under a limit of jobs per second, which is Snakemake's default, each look at the ready jobs
        sets a timer for one more look a second later, and so does each job that ends. None of these
        chains ends while jobs are ready: after 4,000 jobs there would be 4,000 looks a second, each
        at all ready jobs, and a signal would have to wait for those that are due.
        """
        scheduler = self._workflow.scheduler
        scheduler._schedule_reevalutation = OneTimer(scheduler._open_jobs.release)

    def follow(self, logger: logging.Logger, listener: Listener) -> None:
        """Tell a listener what becomes of jobs; terminal and log file are spared what it says.

        Logger plugins, which are fed by a queue, get every event.
        """
        for handler in logger.handlers:
            if not isinstance(handler, QueueHandler):
                handler.addFilter(is_news)
        logger.addHandler(Events(listener, self.forget_resources))
