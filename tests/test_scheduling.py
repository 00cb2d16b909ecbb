"""The one timer of Snakemake's scheduler."""

import inspect
import threading

from snakemake.scheduling.job_scheduler import JobScheduler

from lungprep.scheduling import OneTimer, look_once_a_second


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


def test_snakemake_still_has_what_is_replaced():
    method = inspect.getsource(JobScheduler._schedule_reevalutation)
    assert "threading.Timer" in method
    assert "self._open_jobs.release()" in method
    assert list(inspect.signature(JobScheduler._schedule_reevalutation).parameters)[1:] == ["delay"]


def test_the_scheduler_is_woken_by_its_semaphore():
    class Scheduler:
        _open_jobs = threading.Semaphore(0)

    scheduler = Scheduler()
    look_once_a_second(scheduler)
    scheduler._schedule_reevalutation(0)
    assert scheduler._open_jobs.acquire(timeout=60)
