"""Which messages have waited too long, while the wall clock is set."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import Any

import pytest

from hub.queue.ages import SHORTEST, SPANS, AgeLimit, Ages
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.store.memory import MemoryStore
from tests.unit.doubles import message, offer

YEAR = 365 * 86400.0
HOUR = 3600.0


class Desk:
    """A queue with two clocks, which the test sets."""

    def __init__(self, max_age: float | None = HOUR) -> None:
        self.wall, self.monotonic = 1e9, 0.0
        policy = QueuePolicy(None, None, max_age=max_age)
        self.queue = Queue("q", policy, MemoryStore(), lambda: self.monotonic, lambda: self.wall)

    def offer(self, ahead: float = 0.0) -> None:
        offer(self.queue, [message(int(self.wall + ahead))])

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def limit(self, max_age: float | None) -> None:
        self.queue.adopt(replace(self.queue.policy, max_age=max_age))

    @property
    def expired(self) -> int:
        self.queue.expire()
        return self.queue.stats().counters.dropped_expired


@pytest.mark.parametrize("taking", [True, False])
def test_a_clock_that_is_ahead_for_a_moment_drops_nothing(taking: bool) -> None:
    desk = Desk()
    desk.offer()
    desk.wait(2)
    desk.wall += YEAR
    if taking:
        assert desk.queue.take(1, timeout=0) is not None
    assert desk.expired == 0


@pytest.mark.parametrize("step", [HOUR, -HOUR, YEAR])
def test_a_clock_that_is_set_for_good_drops_nothing_early(step: float) -> None:
    desk = Desk()
    desk.offer()
    desk.wait(60)
    desk.wall += step
    desk.offer()
    desk.wait(HOUR - 70)
    assert desk.expired == 0


def test_what_came_while_the_clock_was_ahead_is_dropped_in_time_and_keeps_nothing_behind_it() -> None:
    desk = Desk()
    desk.offer()
    desk.offer(ahead=YEAR)
    desk.offer()
    desk.wait(HOUR - 5)
    assert desk.expired == 0
    desk.wait(10)
    assert desk.expired == 3


def test_nor_is_it_handed_out_once_it_is_too_old() -> None:
    desk = Desk()
    desk.offer(ahead=YEAR)
    desk.wait(HOUR + 10)
    assert desk.queue.take(1, timeout=0) is None
    assert desk.expired == 1


def test_what_was_there_before_the_start_is_as_old_as_the_clock_says_then() -> None:
    clocks: list[float] = [0.0, 1000.0]
    ages = Ages(lambda: clocks[0], lambda: clocks[1])
    assert ages.limit(10.0).exceeded(0, 980.0)
    assert not ages.limit(10.0).exceeded(0, 995.0)
    clocks[1] += YEAR
    assert not ages.limit(10.0).exceeded(0, 995.0)
    clocks[0], clocks[1] = 9.0, 1009.0
    assert not ages.limit(10.0).exceeded(0, 2000.0)
    clocks[0], clocks[1] = 11.0, 1011.0
    assert ages.limit(10.0).exceeded(0, 2000.0)


def test_the_spans_that_are_kept_are_bounded() -> None:
    now = [0.0]
    ages: Any = Ages(lambda: now[0], lambda: now[0])
    for position in range(20 * SPANS):
        now[0] += 0.01 * HOUR / SPANS
        ages.arrive(position, HOUR)
    assert len(ages._starts) <= 201
    now[0] += 2 * HOUR
    assert ages.limit(HOUR).upto > 1e9
    assert not ages._starts
    ages.arrive(7, SHORTEST)
    assert list(ages._starts) == [7]
    ages.arrive(8, None)
    assert list(ages._starts) == [7]


def test_one_with_a_time_that_is_to_come_is_not_too_old_at_once() -> None:
    desk = Desk()
    desk.wait(HOUR + 10)
    desk.offer(ahead=YEAR)
    assert desk.expired == 0
    assert desk.queue.take(1, timeout=0) is not None


def test_a_limit_that_is_set_later_does_not_drop_early_what_came_while_the_clock_was_ahead() -> None:
    """Nobody noted when it came, so its time to come does not prove that it has waited long."""
    desk = Desk(max_age=None)
    desk.wait(2 * HOUR)
    desk.offer(ahead=YEAR)
    desk.limit(HOUR)
    assert desk.expired == 0
    desk.wait(HOUR - 5)
    assert desk.expired == 0
    desk.wait(10)
    assert desk.expired == 1


def test_nor_does_a_limit_that_is_set_again() -> None:
    desk = Desk()
    desk.wait(2 * HOUR)
    desk.limit(None)
    desk.offer(ahead=YEAR)
    desk.limit(HOUR)
    assert desk.expired == 0
    assert desk.queue.take(1, timeout=0) is not None


def test_what_is_exactly_as_old_as_it_may_be_stays() -> None:
    now = [0.0]
    ages = Ages(lambda: now[0], lambda: 1e9 + now[0])
    ages.arrive(5, HOUR)
    now[0] = HOUR
    assert ages.limit(HOUR).upto == 5
    now[0] += SHORTEST
    assert ages.limit(HOUR).upto == sys.maxsize


@pytest.mark.parametrize(
    ("position", "received_at", "exceeded"),
    [(0, 10.0, False), (0, 20.0, False), (0, 9.9, True), (0, 20.1, True), (98, 9.9, True), (99, 9.9, False)],
)
def test_the_limits_of_age_themselves_are_not_exceeded(position: int, received_at: float, exceeded: bool) -> None:
    assert AgeLimit(10.0, 20.0, 99).exceeded(position, received_at) is exceeded


def test_a_span_ends_with_its_length() -> None:
    now = [0.0]
    ages = Ages(lambda: now[0], lambda: 1e9 + now[0])
    for position, now[0] in ((5, 0.0), (6, 1.0), (7, HOUR / SPANS)):
        ages.arrive(position, HOUR)
    now[0] = HOUR + 1.5
    assert ages.limit(HOUR).upto == 7


def test_times_of_receipt_are_compared_with_now_once_nothing_unknown_is_young_enough() -> None:
    now = [0.0]
    ages = Ages(lambda: now[0], lambda: 1e9 + now[0])
    now[0] = HOUR
    assert ages.limit(HOUR).now == math.inf
    now[0] += 1.0
    assert ages.limit(HOUR).now == 1e9 + HOUR + 1.0
