"""What Snakemake's scheduler can't do by itself."""

import threading
from collections.abc import Callable
from typing import Any


class OneTimer:
    """A timer that is not set again before it has rung.

    Parameters
    ----------
    ring : callable
        Called in a thread of its own when the time is over.
    """

    def __init__(self, ring: Callable[[], object]) -> None:
        self._ring = ring
        self._lock = threading.Lock()
        self._waiting = False

    def __call__(self, delay_s: float) -> None:
        """Ring once after `delay_s`, or when the timer rings that was set before."""
        with self._lock:
            if self._waiting:
                return
            self._waiting = True
        threading.Timer(delay_s, self._over).start()

    def _over(self) -> None:
        with self._lock:
            self._waiting = False
        self._ring()


def job_scheduler() -> Any:
    """Class of Snakemake's scheduler, looked up only after the version was checked."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    return JobScheduler


def stop_at_any_time(scheduler: Any) -> None:
    """Let SIGTERM reach Snakemake's `JobScheduler` also while it sees to jobs that ended.

    The handler takes locks that the thread which it interrupts may hold, and would wait for itself
    for ever: jobs of an executor get the signal and the end of their script at the same time.
    """
    stop = scheduler.exit_gracefully

    def exit_gracefully(self: Any, *_: object) -> None:
        threading.Thread(target=stop, args=(self,)).start()

    scheduler.exit_gracefully = exit_gracefully
