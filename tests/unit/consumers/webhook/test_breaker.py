"""The circuit breaker, on a clock that the test moves."""

from __future__ import annotations

from hub.consumers.webhook.breaker import TRIAL_WAIT, Breaker


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Time) -> Breaker:
    breaker = Breaker(3, 10.0, 30.0, clock)
    for _ in range(3):
        assert breaker.begin() == 0.0
        breaker.failed()
    assert breaker.open
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(3, 10.0, 30.0, Time())
    for failed in (True, True, False, True, True):
        breaker.failed() if failed else breaker.succeeded()
    assert not breaker.open
    breaker.failed()
    assert (breaker.open, breaker.begin()) == (True, 10.0)


def test_after_the_pause_one_tries_and_success_closes_it() -> None:
    clock = Time()
    breaker = opened(clock)
    clock.now += 10
    assert [breaker.begin(), breaker.begin()] == [0.0, TRIAL_WAIT]
    breaker.succeeded()
    assert (breaker.open, breaker.begin(), breaker.begin()) == (False, 0.0, 0.0)


def test_each_failed_trial_doubles_the_pause_to_its_limit() -> None:
    clock = Time()
    breaker = opened(clock)
    pauses = []
    for _ in range(4):
        clock.now += breaker.begin()
        assert breaker.begin() == 0.0
        breaker.failed()
        pauses.append(breaker.begin())
    assert pauses == [20.0, 30.0, 30.0, 30.0]


def test_late_failures_do_not_prolong_it() -> None:
    clock = Time()
    breaker = opened(clock)
    clock.now += 4
    breaker.failed()
    assert breaker.begin() == 6.0


def test_a_trial_that_says_nothing_leaves_it_to_another() -> None:
    clock = Time()
    breaker = opened(clock)
    clock.now += 10
    assert breaker.begin() == 0.0
    breaker.withdrawn()
    assert (breaker.open, breaker.begin()) == (True, 0.0)
