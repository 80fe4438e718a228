"""Backoff and verdicts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Reject, Retry
from hub.interfaces import Bury
from hub.message import Message
from hub.workers.retry import SOONEST, Again, Backoff, JobBackoff
from tests.unit.doubles import message, most

SECONDS = st.floats(0, 1e6)

MESSAGE = message(0)


@given(st.integers(1, 10_000), SECONDS, SECONDS, st.integers())
def test_jitter_lies_between_none_and_the_doubled_bound(failures: int, backoff: float, limit: float, seed: int) -> None:
    delay = Backoff(5, backoff, limit).delay(failures, random.Random(seed).uniform)
    assert 0 <= delay <= limit
    if failures < 500:
        assert delay <= backoff * 2.0 ** (failures - 1)


def test_the_bound_doubles_up_to_the_limit() -> None:
    policy = Backoff(99, backoff=1.0, backoff_limit=10.0)
    assert [policy.delay(failures, most) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_a_retry_comes_when_the_consumer_said_and_is_no_failure() -> None:
    assert Backoff(1, 1.0, 10.0).judge(Retry(7.5), MESSAGE, 99, 99, most) == Again(7.5, failure=False)
    assert Backoff(1, 1.0, 10.0).judge(Retry(0), MESSAGE, 99, 99, most) == Again(SOONEST, failure=False)


def test_a_retry_without_a_delay_backs_off_by_the_attempts_at_the_message() -> None:
    policy = Backoff(1, backoff=3.0, backoff_limit=10.0)
    again = [policy.judge(Retry(), MESSAGE, attempts, 0, most) for attempts in range(4)]
    assert again == [Again(delay, failure=False) for delay in (3.0, 6.0, 10.0, 10.0)]


def test_the_backoff_of_a_retry_is_jittered() -> None:
    policy = Backoff(1, backoff=3.0, backoff_limit=10.0)
    draw = random.Random(1).uniform
    delays = {policy.judge(Retry(), MESSAGE, 3, 0, draw).delay for _ in range(50)}  # type: ignore[union-attr]
    assert len(delays) == 50
    assert max(delays) > 5.0


def test_a_reject_is_buried_with_its_reason() -> None:
    assert Backoff(9, 1.0, 10.0).judge(Reject("no such user"), MESSAGE, 0, 0, most) == Bury("no such user")


@given(st.integers(1, 20))
def test_any_other_exception_is_tried_exactly_max_attempts_times(max_attempts: int) -> None:
    policy = Backoff(max_attempts, 1.0, 10.0)
    failures = 0
    while isinstance(verdict := policy.judge(KeyError("x"), MESSAGE, failures, failures, most), Again):
        assert verdict.failure
        failures += 1
    assert failures + 1 == max_attempts
    often = "once" if max_attempts == 1 else f"{max_attempts} times, last"
    assert verdict == Bury(f"failed {often} with KeyError")


@pytest.mark.parametrize(
    ("own", "consumer", "tried"), [(4, None, 5), (4, 3, 3), (1, 3, 2), (0, None, 1), (None, None, 9), (None, 2, 2)]
)
def test_a_job_is_tried_as_often_as_it_says_and_not_more_often_than_its_consumer(
    own: int | None, consumer: int | None, tried: int
) -> None:
    """``own``: its ``max_retries``; ``consumer``: ``max_attempts`` where the section sets it."""
    policy = JobBackoff(Backoff(9, 1.0, 10.0), consumer)
    job = Message("1", "a", b"{}", headers={} if own is None else {"max_retries": own})
    verdicts = [policy.judge(KeyError("x"), job, failures, failures, most) for failures in range(tried)]
    assert [type(one) for one in verdicts] == [Again] * (tried - 1) + [Bury]
    assert policy.judge(Retry(7.0), job, 99, 99, most) == Again(7.0, failure=False)


def test_the_delays_of_jobs_are_those_of_messages() -> None:
    backoff = Backoff(9, 1.0, 10.0)
    policy = JobBackoff(backoff)
    assert [policy.delay(failures, most) for failures in range(1, 7)] == [1, 2, 4, 8, 10, 10]
    assert policy.judge(KeyError("x"), MESSAGE, 2, 2, most) == Again(4.0, failure=True)
