"""The wall before Snakemake: the undocumented names, in the version in use."""

import inspect
import logging
import re
import signal
import threading
from types import SimpleNamespace

import pytest
import snakemake
from snakemake import api, persistence
from snakemake.io import IOCache, IOFile
from snakemake.jobs import AbstractJob
from snakemake.rules import Rule
from snakemake.scheduling.job_scheduler import JobScheduler

from lungprep.errors import ConfigError
from lungprep.run.engine import Engine, check_version, stop_at_any_time
from lungprep.run.engine.scheduler import OneTimer


def test_the_version_in_use_is_taken_and_others_are_refused_in_one_line():
    check_version(snakemake.__version__)
    check_version("9.27.99.dev3+g1")
    for found in ("8.30.0", "9.26.2", "9.28.0", "10.0"):
        expected = (
            f"Snakemake {found} was found, and lungprep needs 9.27 or later, below 9.28; "
            "pip install -r envs/requirements.txt"
        )
        with pytest.raises(ConfigError, match=re.escape(expected)):
            check_version(found)


def test_snakemake_still_has_what_is_asked_for():
    source, dag = inspect.getsource(api.Workflow), inspect.getmodule(api.Workflow).DAG
    for name in (
        "is_main_process", "dryrun", "executor_plugin", "touch", "dag_settings", "global_resources",
        "execution_settings", "storage_settings", "executor_settings", "local_exec", "iocache",
        "spawned_job_args_factory", "persistence", "get_rule", "scheduler",
    ):  # fmt: skip
        assert re.search(rf"def {name}\(|self\.{name}\b|    {name}:", source), name
    assert "self.forcerules" in inspect.getsource(dag)
    assert callable(dag.needrun_jobs)
    assert "restart_times" in inspect.getsource(Rule)
    assert "self._scheduler_resources is None" in inspect.getsource(AbstractJob)


def test_a_timer_that_is_set_many_times_rings_once():
    rung = threading.Semaphore(0)
    timer = OneTimer(rung.release)
    for _ in range(50):
        timer(3600)
    (waiting,) = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
    waiting.function()
    waiting.cancel()
    assert rung.acquire(blocking=False)
    assert not rung.acquire(blocking=False)
    timer(0)
    assert rung.acquire(timeout=60), "it can be set again"


def test_the_scheduler_is_woken_by_its_semaphore():
    method = inspect.getsource(JobScheduler._schedule_reevalutation)
    assert "threading.Timer" in method
    assert "self._open_jobs.release()" in method
    assert list(inspect.signature(JobScheduler._schedule_reevalutation).parameters)[1:] == ["delay"]

    class Scheduler:
        _open_jobs = threading.Semaphore(0)

    scheduler = Scheduler()
    Engine(SimpleNamespace(scheduler=scheduler)).look_once_a_second()
    scheduler._schedule_reevalutation(0)
    assert scheduler._open_jobs.acquire(timeout=60)


def test_a_signal_does_not_wait_for_the_thread_that_it_interrupts():
    assert "signal.SIGTERM, self.exit_gracefully" in inspect.getsource(JobScheduler.__init__)

    class Scheduler:
        _lock = threading.Lock()
        _open_jobs = threading.Semaphore(0)
        exit_gracefully = JobScheduler.exit_gracefully

    stop_at_any_time(Scheduler)
    scheduler = Scheduler()
    with scheduler._lock:
        scheduler.exit_gracefully(signal.SIGTERM, None)
    assert scheduler._open_jobs.acquire(timeout=60)
    assert scheduler._user_kill == "graceful"


def test_leftovers_of_redone_jobs_do_not_exist():
    cache, dag = IOCache(0), SimpleNamespace(forcerules={"one"})
    Engine(SimpleNamespace(dag=dag, iocache=cache, get_rule=str)).redo(
        ["load"], ["work/P1/published", "work/_refused"]
    )
    assert dag.forcerules == {"one", "load"}
    for path, hidden in (
        ("work/P1/load.json", True), ("work/_refused", True),
        ("work/P2/load.json", False), ("config.yaml", False),
    ):  # fmt: skip
        file = IOFile(path)
        assert (file in cache.exists_local) == hidden, path
        assert not hidden or cache.exists_local[file] is False


def test_a_dry_run_takes_no_lock_and_looks_for_none():
    assert "Directory cannot be locked" in inspect.getsource(persistence)
    assert "self.lock = self.lock_warn_only" in inspect.getsource(persistence)
    assert callable(persistence.PersistenceBase.save_iocache)
    held = SimpleNamespace(lock=lambda: 1 / 0, save_iocache=lambda: 1 / 0)
    Engine(SimpleNamespace(persistence=held)).plan_without_trace()
    with held.lock():
        held.save_iocache()


class Job:
    """A job as Snakemake's scheduler and plan hold it."""

    rule = SimpleNamespace(restart_times=2)

    def __init__(self, jobid, group=False):
        self.jobid, self.group, self.attempt, self._scheduler_resources = jobid, group, 1, "kept"

    def is_group(self):
        return self.group


def test_a_job_is_given_up_and_its_resources_are_asked_for_anew():
    jobs = [Job(1), Job(2), Job(2, group=True)]
    running = SimpleNamespace(running=jobs)
    engine = Engine(SimpleNamespace(scheduler=running, dag=SimpleNamespace(jobs=jobs)))
    engine.give_up(2)
    assert [job.attempt for job in jobs] == [1, 3, 1]
    heard = []
    listener = SimpleNamespace(
        job_started=lambda *job: heard.append(job),
        job_finished=lambda jobid: heard.append(jobid),
        job_failed=lambda *job: heard.append(job),
    )
    logger = logging.Logger("snakemake-like", logging.INFO)
    engine.follow(logger, listener)
    logger.info("Trying to restart job 2.")
    assert [job._scheduler_resources for job in jobs] == ["kept", None, "kept"]
    event = SimpleNamespace(value="job_info")
    job = {"jobid": 7, "rule_name": "shard", "wildcards": {"shard": "1-ab"}}
    logger.info("", extra={"event": event, **job})
    logger.info("", extra={"event": SimpleNamespace(value="job_finished"), "job_id": 7})
    logger.info("", extra={"event": SimpleNamespace(value="job_error"), "jobid": 7})
    assert heard == [(7, "shard", "1-ab"), 7, (7, "")]
