"""The one timer of Snakemake's scheduler."""

import inspect
import signal
import threading

from snakemake.scheduling.job_scheduler import JobScheduler

from lungprep.scheduling import OneTimer, look_once_a_second, stop_at_any_time


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
