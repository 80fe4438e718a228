"""Delays are drawn from 0 to a bound that doubles up to a limit."""

from __future__ import annotations

from hub.backoff import FIRST_DELAY, LONGEST_DELAY, delay_after


def test_the_bound_doubles_up_to_the_limit() -> None:
    bounds = [delay_after(failures, lambda low, high: high, 1.0, 5.0) for failures in range(1, 6)]
    assert bounds == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_a_delay_begins_at_nothing() -> None:
    assert delay_after(7, lambda low, high: low) == 0.0


def test_the_defaults_hold_whatever_the_number_of_failures() -> None:
    assert delay_after(1, lambda low, high: high) == FIRST_DELAY
    assert delay_after(10_000, lambda low, high: high) == LONGEST_DELAY
