"""One retry policy for all requests to an S3 store.

The clients' own retries are off, because nested retries multiply. A retry repeats a whole transfer,
checksum included, and depends on what all threads of a store have seen:

* Pauses grow exponentially, with full jitter: requests that failed together are not repeated
  together.
* Each transfer has a maximum number of attempts and a deadline for the last one.
* A store that answers with errors has a budget of retries. Successes refill it: a store that fails
  most requests is tolerated, and one that fails all of them is soon given up.
* A store that does not answer at all gets the time that a server takes to restart, counted from
  its last answer, whatever the number of threads. A store that has never answered is given up in
  seconds: the address is wrong, or no server runs there.
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
    """Limits of the retries.

    Attributes
    ----------
    attempts : int
        Maximum for one transfer. If three of four requests fail, one transfer in 5,000 needs more.
    listing_attempts : int
        Maximum for a page whose answer is not a listing: about 15 seconds. An answer that stays
        wrong for so long will not change.
    first_pause_s, longest_pause_s : float
        Upper bounds of the first pause and of any pause, s; in between, each is twice the last.
    deadline_s : float
        Time after the start of a transfer after which no attempt begins, s.
    budget : int
        Retries without any success; 16 threads spend it in 45 seconds.
    refill : int
        Retries that a success returns to the budget, up to its maximum.
    silence_s : float
        Maximum time without an answer from a store that has answered before, s.
    first_answer_s : float
        Maximum time without an answer from a store that has never answered, s.
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
    """State that all threads of a store share.

    Parameters
    ----------
    policy : Policy
        Limits of the retries.
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
        """Run an action, and repeat it while it raises `StoreUnreachable`.

        Raises
        ------
        StoreError
            Error of the last attempt.
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
        """Seconds until the next attempt, or None to give up."""
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
