"""One policy of retries for every request to an S3 store.

The clients' own retries are off, for two policies one inside the other multiply. A retry is decided
for a whole transfer, body and checksum included, and by what all threads of a store know together:

* Pauses grow exponentially, with full jitter: what broke together does not come back together.
* Each transfer has a number of attempts and a deadline after which none begins.
* A store that answers, but badly, has a budget of retries. Successes refill it, so that a store
  which fails most requests is ridden out, and one that fails them all is soon left alone.
* A store that does not answer at all is waited for as long as a server takes to restart, counted
  from its last sign of life, whatever the number of threads. One that has never answered is given
  up in seconds: the address is wrong, or the server is not there.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lungprep.errors import BrokenListing, NoAnswer, StoreError, StoreUnreachable

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Policy:
    """How long to go on.

    Attributes
    ----------
    attempts : int
        For one transfer. Where three of four requests fail, one transfer in 5,000 needs more.
    listing_attempts : int
        For a page of a listing that is answered, but by no listing: about 15 seconds. What stays
        so that long is how the store is.
    first_pause_s, longest_pause_s : float
        Upper bounds of the first pause and of any; in between each is twice the one before.
    deadline_s : float
        Of one transfer, from its start; no attempt begins after it.
    budget : int
        Retries of a store without a success: 16 threads at this pace spend them in 45 seconds.
    refill : int
        Retries that a success adds, up to the budget.
    silence_s : float
        How long a store that has answered before may say nothing.
    first_answer_s : float
        How long one that has never answered may say nothing.
    """

    attempts: int = 30
    listing_attempts: int = 10
    first_pause_s: float = 0.1
    longest_pause_s: float = 8.0
    deadline_s: float = 300.0
    budget: int = 300
    refill: int = 3
    silence_s: float = 60.0
    first_answer_s: float = 5.0


POLICY = Policy()


class Retries:
    """What the threads that use a store know together.

    Parameters
    ----------
    policy : Policy
        How long to go on.
    answered : bool
        Whether the store is known to answer, as in a job of a run that has listed it.
    """

    def __init__(self, policy: Policy, *, answered: bool = False) -> None:
        self._policy = policy
        self._answered = answered
        self._budget = policy.budget
        self._silent_since: float | None = None
        self._lock = threading.Lock()

    def __call__(self, action: Callable[[], T]) -> T:
        """Repeat an action that may be repeated while it raises `StoreUnreachable`.

        Raises
        ------
        StoreError
            What the last attempt raised.
        """
        begun = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            started = time.monotonic()
            try:
                result = action()
            except StoreUnreachable as error:
                self._note_failure(error, started)
                pause = self._pause(error, attempt, begun)
                if pause is None:
                    raise
                logger.info("attempt %d: %s; again in %.1f s", attempt, error.found, pause)
                time.sleep(pause)
            except StoreError:
                self._note_answer(0)
                raise
            else:
                self._note_answer(self._policy.refill)
                return result

    def _note_answer(self, refill: int) -> None:
        with self._lock:
            self._answered, self._silent_since = True, None
            self._budget = min(self._policy.budget, self._budget + refill)

    def _note_failure(self, error: StoreUnreachable, started: float) -> None:
        if not isinstance(error, NoAnswer):
            self._note_answer(0)
            return
        with self._lock:
            if self._silent_since is None:
                self._silent_since = started

    def _pause(self, error: StoreUnreachable, attempt: int, begun: float) -> float | None:
        """Seconds until the next attempt, or None where there is to be none."""
        policy = self._policy
        bound = min(policy.longest_pause_s, policy.first_pause_s * 2 ** (attempt - 1))
        pause = random.uniform(0, bound)  # noqa: S311
        now = time.monotonic()
        most = policy.listing_attempts if isinstance(error, BrokenListing) else policy.attempts
        if attempt >= most or now + pause > begun + policy.deadline_s:
            return None
        with self._lock:
            if isinstance(error, NoAnswer):
                patience = policy.silence_s if self._answered else policy.first_answer_s
                silent_since = now if self._silent_since is None else self._silent_since
                return pause if now + pause < silent_since + patience else None
            if self._budget < 1:
                return None
            self._budget -= 1
            return pause
