"""A ring of samples, and the rates that it gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.stats.catchup import SPAN, UNKNOWN
from hub.stats.counters import Counters, QueueStats
from hub.stats.rates import Rates


def reading(received: int, settled: int) -> QueueStats:
    return QueueStats(Counters(received=received, finished=settled), 0, 0, None)


def sampled(seconds: int, rate_in: int, rate_out: int, backlog: int = 0) -> Rates:
    """A queue with a backlog at the start, sampled once a second at constant rates."""
    rates = Rates()
    for second in range(seconds + 1):
        received = backlog + rate_in * second
        rates.sample(1000.0 + second, reading(received, min(received, rate_out * second)), 0.0)
    return rates


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(2, 2 * SPAN))
def test_constant_rates_are_measured_exactly(rate_in: int, rate_out: int, seconds: int) -> None:
    rates = sampled(seconds, rate_in, rate_out, backlog=10**9)
    assert rates.rate_in() == pytest.approx(rate_in)
    assert rates.rate_out() == pytest.approx(rate_out)


def test_the_end_of_a_spike_shows_within_ten_seconds() -> None:
    rates = Rates()
    for second in range(60):
        rates.sample(float(second), reading(1000 * min(second, 30), 10 * second), 0.0)
    assert rates.rate_in() == 0


@pytest.mark.parametrize(("second", "rate"), [(24, 0.0), (25, 20.0), (29, 20.0)])
def test_a_rate_is_of_the_last_five_seconds(second: int, rate: float) -> None:
    rates = Rates()
    for now in range(31):
        rates.sample(1000.0 + now, reading(100 * (now > second), 0), 0.0)
    assert rates.rate_in() == rate


def test_attempts_are_noted_at_the_time_of_the_sample() -> None:
    rates = Rates()
    for now, failed in [(7.0, 0), (8.0, 2), (9.0, 2)]:
        rates.sample(now, QueueStats(Counters(received=9, failed=failed, retried=failed), 0, 0, None), 0.0)
    assert rates.recent.last_bad == 8.0


def test_what_was_dropped_on_arrival_did_not_enter() -> None:
    rates = Rates()
    rates.sample(0.0, QueueStats(Counters(received=9, dropped_newest=4, dropped_oldest=2), 0, 0, None), 0.0)
    (sample,) = rates._samples
    assert (sample.entered, sample.worked, sample.backlog) == (5, 0, 3)


def test_a_second_sample_at_one_time_replaces_the_first() -> None:
    rates = Rates()
    for received in (1, 2):
        rates.sample(0.0, reading(received, 0), 0.0)
    rates.sample(1.0, reading(12, 0), 0.0)
    assert rates.rate_in() == 10


def test_only_so_many_samples_are_kept() -> None:
    rates = sampled(10 * SPAN, 1, 1)
    assert len(rates._samples) == SPAN + 1


def test_samples_further_apart_than_the_recent_past_still_give_a_rate() -> None:
    rates = Rates()
    rates.sample(0.0, reading(0, 0), 0.0)
    rates.sample(100.0, reading(500, 100), 0.0)
    assert (rates.rate_in(), rates.rate_out()) == (5, 1)


def test_the_utilisation_is_the_share_of_the_threads_time() -> None:
    rates = Rates()
    for second in range(5):
        rates.sample(1000.0 + second, reading(0, 0), second * 1.5)
    assert rates.utilisation(2) == 0.75
    assert rates.utilisation(1) == 1.0
    assert rates.utilisation(0) is None


def test_no_utilisation_is_known_before_the_second_sample() -> None:
    rates = Rates()
    rates.sample(0.0, reading(0, 0), 1.0)
    assert rates.utilisation(1) is None


def test_a_crew_that_was_replaced_is_no_negative_utilisation() -> None:
    rates = Rates()
    rates.sample(0.0, reading(0, 0), 10.0)
    rates.sample(1.0, reading(0, 0), 0.0)
    assert rates.utilisation(1) == 0.0


def test_before_the_first_sample_no_rate_is_known() -> None:
    assert (Rates().rate_in(), Rates().rate_out()) == (None, None)


def test_a_restart_forgets_what_was() -> None:
    rates = sampled(10, 0, 1, backlog=1000)
    assert rates.catch_up(reading(1000, 10), 1).trend == "catching_up"
    rates.restart()
    rates.sample(2000.0, reading(1000, 10), 0.0)
    assert rates.catch_up(reading(1000, 10), 1) == UNKNOWN


def test_after_a_pause_the_rates_begin_anew() -> None:
    rates = sampled(10, 50, 50)
    rates.restart()
    rates.sample(1011.0, reading(1000, 500), 0.0)
    assert (rates.rate_in(), rates.rate_out(), rates.utilisation(1)) == (None, None, None)
    rates.sample(1012.0, reading(1002, 501), 0.5)
    assert (rates.rate_in(), rates.rate_out(), rates.utilisation(1)) == (2, 1, 0.5)


def test_reading_changes_nothing() -> None:
    rates = sampled(20, 5, 10, backlog=1000)
    now = reading(1000, 10)
    assert rates.catch_up(now, 1) == rates.catch_up(now, 1)
    assert len(rates._samples) == 21
