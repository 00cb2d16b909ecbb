"""Keep Snakemake's scheduler from looking for ready jobs ever more often.

Under a limit of jobs per second, which is Snakemake's default, each look at the ready jobs sets a
timer for one more look a second later, and so does each job that ends. None of these chains ends
while jobs are ready: after 4,000 jobs there would be 4,000 looks a second, each at all ready jobs,
and a signal would have to wait for those that are due. One timer at a time does the same.
"""

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


def look_once_a_second(scheduler: Any) -> None:
    """Give a `JobScheduler` one timer in place of ever more; before it starts its first job."""
    # Both names are Snakemake's own; a test holds them against the version in use.
    scheduler._schedule_reevalutation = OneTimer(scheduler._open_jobs.release)


def stop_at_any_time(scheduler: type) -> None:
    """Let SIGTERM reach Snakemake's `JobScheduler` also while it sees to jobs that ended.

    The handler takes locks that the thread which it interrupts may hold, and would wait for itself
    for ever: jobs of an engine get the signal and the end of their script at the same time.
    """
    # Snakemake's own name; a test holds it against the version in use.
    stop = scheduler.exit_gracefully  # type: ignore[attr-defined]

    def exit_gracefully(self: Any, *_: object) -> None:
        threading.Thread(target=stop, args=(self,)).start()

    scheduler.exit_gracefully = exit_gracefully  # type: ignore[attr-defined]
