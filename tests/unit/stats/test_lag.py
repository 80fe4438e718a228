"""How late calls are."""

from __future__ import annotations

from hub.stats.lag import KEPT, Lag


def test_nothing_is_known_before_the_second_call() -> None:
    lag = Lag(0.5)
    lag.called(7.0)
    assert lag.worst is None


def test_the_worst_of_the_last_calls_is_told() -> None:
    lag = Lag(0.5)
    for now in (0.0, 0.5, 1.25, 1.75):
        lag.called(now)
    assert lag.worst == 0.25


def test_one_that_is_early_is_not_late() -> None:
    lag = Lag(0.5)
    lag.called(0.0)
    lag.called(0.25)
    assert lag.worst == 0.0


def test_what_was_long_ago_is_forgotten() -> None:
    lag = Lag(0.5)
    lag.called(0.0)
    lag.called(100.0)
    for step in range(KEPT):
        lag.called(100.5 + step / 2)
    assert lag.worst == 0.0
