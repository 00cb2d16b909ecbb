"""The policy of retries, with pauses counted in place of slept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lungprep.errors import AccessRefused, NoAnswer, StoreUnreachable
from lungprep.stores import retrying
from lungprep.stores.retrying import POLICY, Retries


class Clock(threading.local):
    """Time that passes only while somebody sleeps; each thread has its own, from 0."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(retrying.time, "monotonic", clock.monotonic)
    monkeypatch.setattr(retrying.time, "sleep", clock.sleep)
    return clock


def failing(times, error=StoreUnreachable):
    """An action that fails some times before it answers how often it was tried."""
    tried = []

    def action():
        tried.append(1)
        if len(tried) <= times:
            raise error("x broke off", "run again")
        return len(tried)

    return action


def test_a_broken_answer_is_tried_again_and_a_refusal_is_not(clock):
    assert Retries(POLICY)(failing(3)) == 4
    refused = failing(1, AccessRefused)
    with pytest.raises(AccessRefused):
        Retries(POLICY)(refused)
    assert refused() == 2
    assert len(clock.pauses) == 3


def test_pauses_grow_are_spread_and_have_a_bound(clock):
    with pytest.raises(StoreUnreachable):
        Retries(POLICY)(failing(1000))
    bounds = [min(POLICY.longest_pause_s, POLICY.first_pause_s * 2**n) for n in range(100)]
    assert all(0 <= pause <= bound for pause, bound in zip(clock.pauses, bounds, strict=False))
    shares = [pause / bound for pause, bound in zip(clock.pauses, bounds, strict=False)]
    assert min(shares) < 0.3 and max(shares) > 0.7, "full jitter reaches from nothing to the bound"
    assert len(clock.pauses) == POLICY.attempts - 1


def test_a_deadline_ends_a_transfer(clock):
    policy = replace(POLICY, attempts=10**6, budget=10**6)
    with pytest.raises(StoreUnreachable):
        Retries(policy)(failing(10**6))
    assert policy.deadline_s - policy.longest_pause_s < clock.now <= policy.deadline_s


def test_a_store_that_fails_everything_is_left_alone_by_all_threads(clock):
    retries, asked = Retries(POLICY, answered=True), []

    def fail():
        asked.append(1)
        raise StoreUnreachable("x could not be reached (SlowDown)", "run again")

    def transfer(_):
        with pytest.raises(StoreUnreachable):
            retries(fail)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(transfer, range(200)))
    assert len(asked) == 200 + POLICY.budget, "not 200 transfers x 30 attempts"


@pytest.mark.parametrize("failures", [1, 2])
def test_a_store_that_fails_most_requests_is_ridden_out(clock, failures):
    """One in two, then two in three: successes pay for more retries than there are."""
    retries = Retries(replace(POLICY, budget=10))
    for _ in range(2000):
        assert retries(failing(failures)) == failures + 1


def test_a_server_that_restarts_is_waited_for_by_all_threads(clock):
    retries = Retries(POLICY, answered=True)

    def request():
        if clock.now < 30:
            raise NoAnswer("x could not be reached", "run again")
        return "done"

    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(retries, request) for _ in range(16)]
        assert {each.result() for each in waiting} == {"done"}


@pytest.mark.parametrize(("answered", "patience"), [(False, "first_answer_s"), (True, "silence_s")])
def test_silence_is_borne_for_as_long_as_the_store_is_known(clock, answered, patience):
    retries = Retries(replace(POLICY, attempts=10**6), answered=answered)
    with pytest.raises(NoAnswer):
        retries(failing(10**6, NoAnswer))
    limit = getattr(POLICY, patience)
    assert limit - POLICY.longest_pause_s < clock.now <= limit
    for _ in range(20):
        with pytest.raises(NoAnswer):
            retries(failing(10**6, NoAnswer))
    assert clock.now <= limit, "the next transfers do not wait as long again"


def test_any_answer_makes_a_store_known(clock):
    retries = Retries(POLICY)
    with pytest.raises(AccessRefused):
        retries(failing(1, AccessRefused))
    with pytest.raises(NoAnswer):
        retries(failing(10**6, NoAnswer))
    assert clock.now > POLICY.first_answer_s
