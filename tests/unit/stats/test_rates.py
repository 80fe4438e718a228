"""Rates and the time to catch up."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.stats.rates import ENOUGH, SPAN, STEADY, CatchUp, Rates


def sampled(seconds: int, rate_in: int, rate_out: int, backlog: int = 0) -> Rates:
    """A queue with a backlog at the start, sampled once a second at constant rates."""
    rates = Rates()
    for second in range(seconds + 1):
        received = backlog + rate_in * second
        rates.sample(1000.0 + second, received, min(received, rate_out * second))
    return rates


@given(st.integers(0, 500), st.integers(1, 500), st.integers(ENOUGH, 2 * SPAN))
def test_at_constant_rates_the_prediction_is_right(rate_in: int, gain: int, seconds: int) -> None:
    assume(gain > STEADY * (rate_in + gain))
    backlog = gain * (seconds + 100)
    catch_up = sampled(seconds, rate_in, rate_in + gain, backlog).catch_up()
    assert catch_up.trend == "catching_up"
    assert catch_up.seconds == pytest.approx(100.0)
    assert not catch_up.estimated


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(2, 2 * SPAN))
def test_constant_rates_are_measured_exactly(rate_in: int, rate_out: int, seconds: int) -> None:
    rates = sampled(seconds, rate_in, rate_out, backlog=10**9)
    assert rates.rate_in() == pytest.approx(rate_in)
    assert rates.rate_out() == pytest.approx(rate_out)


@given(st.integers(1, 500), st.integers(0, 490), st.integers(2, SPAN))
def test_falling_behind_has_no_time_to_catch_up(more: int, rate_out: int, seconds: int) -> None:
    catch_up = sampled(seconds, rate_out + rate_out // 10 + more, rate_out, backlog=1).catch_up()
    assert catch_up.seconds is None
    assert catch_up.trend == "falling_behind"


def test_as_fast_out_as_in_is_steady_and_has_no_time() -> None:
    assert sampled(20, 10, 10, backlog=50).catch_up() == CatchUp(None, estimated=False, trend="steady")


def test_a_consumer_that_hangs_with_nothing_coming_in_never_catches_up() -> None:
    assert sampled(20, 0, 0, backlog=50).catch_up().seconds is None


def test_before_the_first_sample_nothing_is_known() -> None:
    rates = Rates()
    assert rates.catch_up() == CatchUp(None, estimated=False, trend="unknown")
    assert (rates.rate_in(), rates.rate_out()) == (None, None)


def test_one_sample_with_a_backlog_is_not_a_zero() -> None:
    catch_up = sampled(0, 0, 0, backlog=9).catch_up()
    assert (catch_up.seconds, catch_up.trend) == (None, "unknown")


@given(st.lists(st.tuples(st.floats(0.1, 5), st.integers(0, 50), st.integers(0, 50)), max_size=80))
def test_zero_seconds_are_told_only_when_there_is_no_backlog(steps: list[tuple[float, int, int]]) -> None:
    rates, now, received, settled = Rates(), 0.0, 0, 0
    for seconds, came, done in steps:
        now, received = now + seconds, received + came
        settled = min(received, settled + done)
        rates.sample(now, received, settled)
        assert (rates.catch_up().seconds == 0.0) == (received == settled)


def test_few_samples_make_an_estimate() -> None:
    assert sampled(ENOUGH - 1, 0, 10, backlog=1000).catch_up().estimated
    assert not sampled(ENOUGH, 0, 10, backlog=1000).catch_up().estimated


def test_idle_time_says_nothing_about_how_fast_a_consumer_is() -> None:
    rates = sampled(30, 1, 1)
    for second in range(1, 13):
        rates.sample(1030.0 + second, 1030 + second, 30 + 50 * (second - 1))
    assert rates.catch_up().seconds == pytest.approx((1042 - 580) / (50 - 1))


def test_the_end_of_a_spike_shows_within_ten_seconds() -> None:
    rates = Rates()
    for second in range(60):
        rates.sample(float(second), 1000 * min(second, 30), 10 * second)
    assert rates.rate_in() == 0


def test_a_second_sample_at_one_time_replaces_the_first() -> None:
    rates = Rates()
    for received in (1, 2):
        rates.sample(0.0, received, 0)
    rates.sample(1.0, 12, 0)
    assert rates.rate_in() == 10


def test_only_so_many_samples_are_kept() -> None:
    rates = sampled(10 * SPAN, 1, 1)
    assert len(rates._samples) == SPAN + 1


def test_samples_further_apart_than_the_recent_past_still_give_a_rate() -> None:
    rates = Rates()
    rates.sample(0.0, 0, 0)
    rates.sample(100.0, 500, 100)
    assert (rates.rate_in(), rates.rate_out()) == (5, 1)


def test_a_difference_of_nearly_equal_rates_is_no_prediction() -> None:
    """1,000 messages at a gain of 1 in 100 a second would be a quarter of an hour, or never: nobody can tell."""
    catch_up = sampled(20, 99, 100, 1000).catch_up()
    assert (catch_up.seconds, catch_up.trend) == (None, "steady")


def test_the_utilisation_is_the_share_of_the_threads_time() -> None:
    rates = Rates()
    for second in range(5):
        rates.sample(float(second), 0, 0, busy=second * 1.5)
    assert rates.utilisation(2) == 0.75
    assert rates.utilisation(1) == 1.0
    assert rates.utilisation(0) is None


def test_no_utilisation_is_known_before_the_second_sample() -> None:
    rates = Rates()
    rates.sample(0.0, 0, 0, busy=1.0)
    assert rates.utilisation(1) is None


def test_a_crew_that_was_replaced_is_no_negative_utilisation() -> None:
    rates = Rates()
    rates.sample(0.0, 0, 0, busy=10.0)
    rates.sample(1.0, 0, 0, busy=0.0)
    assert rates.utilisation(1) == 0.0


def test_a_restart_forgets_what_was() -> None:
    rates = Rates()
    for second in range(10):
        rates.sample(float(second), 1000, second)
    rates.restart()
    rates.sample(10.0, 1000, 10)
    assert rates.catch_up() == CatchUp(None, estimated=True, trend="unknown")
