"""When a backlog will be gone: the rule, step by step."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.stats.catchup import ENOUGH, IDLE, QUIET, SPAN, STEADILY, STEADY, UNKNOWN, CatchUp
from hub.stats.counters import Counters, QueueStats
from hub.stats.rates import Rates


def reading(received: int, settled: int, in_flight: int = 0, delayed: int = 0) -> QueueStats:
    return QueueStats(Counters(received=received, finished=settled), in_flight, delayed, None)


class Watched:
    """A queue that is sampled once a second. :param before: messages and seconds of work that are long past."""

    def __init__(self, backlog: int = 0, before: int = 0) -> None:
        self.rates = Rates()
        self.now, self.received, self.settled, self.busy = 1000.0 + before, backlog + before, before, float(before)
        self._sample(0, 0)

    def step(self, came: int, done: int, seconds: int = 1, in_flight: int = 0, delayed: int = 0) -> Watched:
        """So many in each of these seconds, which one thread worked through."""
        for _ in range(seconds):
            self.now += 1
            self.received += came
            self.settled = min(self.received, self.settled + done)
            self.busy += 1
            self._sample(in_flight, delayed)
        return self

    def _sample(self, in_flight: int, delayed: int) -> None:
        self.rates.sample(self.now, reading(self.received, self.settled, in_flight, delayed), self.busy)

    def told(self, in_flight: int = 0, delayed: int = 0, more: int = 0) -> CatchUp:
        """:param more: came since the last sample."""
        return self.rates.catch_up(reading(self.received + more, self.settled, in_flight, delayed), 1)


@given(st.integers(0, 500), st.integers(1, 500), st.integers(ENOUGH + 1, 2 * SPAN))
def test_at_constant_rates_the_prediction_is_right(rate_in: int, gain: int, seconds: int) -> None:
    assume(gain > STEADY * (rate_in + gain))
    catch_up = Watched(gain * (seconds + 100)).step(rate_in, rate_in + gain, seconds).told()
    assert catch_up.trend == "catching_up"
    assert catch_up.seconds == pytest.approx(100.0)
    assert not catch_up.estimated


@given(st.integers(1, 500), st.integers(1, 490), st.integers(12, SPAN))
def test_falling_behind_has_no_time_to_catch_up(more: int, rate_out: int, seconds: int) -> None:
    catch_up = Watched(1).step(rate_out + rate_out // 10 + more, rate_out, seconds).told()
    assert (catch_up.seconds, catch_up.trend) == (None, "falling_behind")


PHASES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 15), st.integers(0, 1)), max_size=5)


@given(st.integers(0, 200), PHASES)
def test_what_is_long_past_does_not_matter(backlog: int, phases: list[tuple[int, int, int, int]]) -> None:
    told = []
    for before in (0, 1_000_000):
        watched = Watched(backlog, before)
        for phase in phases:
            watched.step(*phase)
        told.append(watched.told())
    assert told[0] == told[1]


def test_before_two_messages_are_done_the_work_of_the_threads_tells() -> None:
    """One and a half in 16 seconds: what is in hand is half done."""
    watched = Watched(10).step(0, 0, 10, in_flight=1).step(0, 1, in_flight=1).step(0, 0, 5, in_flight=1)
    assert watched.told(in_flight=1) == CatchUp(9 * 16 / 1.5, True, "catching_up")


def test_one_that_is_faster_lately_than_what_comes_does_not_fall_behind() -> None:
    watched = Watched(1).step(20, 10, 20)
    assert watched.told().trend == "falling_behind"
    assert watched.step(5, 10, 6).told().trend == "catching_up"


def test_one_that_stops_falls_behind_also_where_less_comes_than_it_did() -> None:
    watched = Watched(50).step(10, 10, 30)
    assert watched.told() == STEADILY
    assert watched.step(4, 0, 30).told().trend == "falling_behind"


def test_as_fast_out_as_in_is_steady_and_has_no_time() -> None:
    assert Watched(50).step(10, 10, 20).told() == STEADILY


def test_a_difference_of_nearly_equal_rates_is_no_prediction() -> None:
    """1,000 messages at a gain of 1 in 100 a second would be a quarter of an hour, or never: nobody can tell."""
    assert Watched(1000).step(99, 100, 20).told() == STEADILY


@pytest.mark.parametrize("seconds", [1, 5, 20, SPAN, 2 * SPAN])
def test_one_that_settles_nothing_while_nothing_comes_is_not_steady(seconds: int) -> None:
    assert Watched(50).step(0, 0, seconds, in_flight=1).told(in_flight=1) == UNKNOWN
    assert Watched(1).step(0, 0, seconds, in_flight=1).told(in_flight=1) == UNKNOWN


@pytest.mark.parametrize("seconds", [1, 3, 10, SPAN, 2 * SPAN])
def test_one_message_that_is_retried_for_ever_has_no_time_in_hand_or_not(seconds: int) -> None:
    watched = Watched(1).step(0, 0, seconds, delayed=1)
    assert watched.told(delayed=1) == watched.told(in_flight=1) == UNKNOWN


def test_beside_a_flow_that_keeps_up_a_retry_is_steady_and_then_unknown() -> None:
    watched = Watched(1).step(2, 2, 20, delayed=1)
    assert watched.told(delayed=1) == watched.told(in_flight=1) == STEADILY
    assert watched.step(0, 0, int(QUIET), delayed=1).told(delayed=1) == UNKNOWN


def test_one_that_hangs_while_messages_come_falls_behind() -> None:
    watched = Watched().step(10, 10, 30)
    assert watched.step(10, 0, int(QUIET) + 2, in_flight=1).told(in_flight=1).trend == "falling_behind"


def test_one_that_never_settled_anything_is_given_a_minute() -> None:
    watched = Watched(1).step(10, 0, SPAN - 2, in_flight=1)
    assert watched.told(in_flight=1) == UNKNOWN
    assert watched.step(10, 0, 2, in_flight=1).told(in_flight=1).trend == "falling_behind"


def test_what_is_told_fits_the_backlog_that_is_told() -> None:
    behind = Watched(500).step(0, 10, 10)
    assert behind.rates.catch_up(reading(500, 500), 1) == IDLE
    assert behind.rates.catch_up(reading(500, 400), 1).seconds == pytest.approx(10.0)
    watched = Watched(10).step(0, 10).step(0, 0, 20)
    assert watched.told() == IDLE
    assert Watched().step(0, 0, 20).told(more=545) == UNKNOWN


def test_what_came_since_the_last_sample_is_reckoned_with_what_the_consumer_has_shown() -> None:
    watched = Watched().step(10, 10, 10)
    watched.busy -= 9
    told = watched.step(0, 0).told(more=545)
    assert (told.trend, told.estimated) == ("catching_up", True)


def test_a_backlog_without_a_sample_is_not_a_zero() -> None:
    assert Rates().catch_up(reading(9, 0), 1) == UNKNOWN
    assert Watched(9).told() == UNKNOWN
    assert Rates().catch_up(reading(9, 9), 1) == IDLE


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 3)), max_size=80), st.integers(0, 9))
def test_zero_seconds_are_told_only_when_there_is_no_backlog(steps: list[tuple[int, int, int]], more: int) -> None:
    watched = Watched()
    for came, done, held in steps:
        backlog = watched.step(came, done, in_flight=held).received + more - watched.settled
        told = watched.told(min(held, backlog), more=more)
        assert (told.seconds == 0.0) == (told == IDLE) == (backlog == 0)
        assert (told.seconds is None) == (told.trend not in ("idle", "catching_up"))


def test_few_samples_make_an_estimate() -> None:
    assert Watched(1000).step(0, 10, ENOUGH).told().estimated
    assert not Watched(1000).step(0, 10, ENOUGH + 1).told().estimated


def test_a_time_is_an_estimate_while_most_of_it_waits_for_a_retry() -> None:
    watched = Watched(1000).step(0, 10, 20, delayed=600)
    assert watched.told(delayed=600).estimated
    assert not watched.told(delayed=100).estimated


def test_idle_time_says_nothing_about_how_fast_a_consumer_is() -> None:
    watched = Watched().step(1, 1, 30).step(1000, 0).step(1, 50, 12)
    assert watched.told().seconds == pytest.approx((1000 - 12 * 49) / 49)


def test_the_end_of_a_spike_shows_within_ten_seconds() -> None:
    watched = Watched(10).step(100, 10, 30)
    assert watched.told().trend == "falling_behind"
    watched.step(0, 10, 6)
    assert watched.told().seconds == pytest.approx((watched.received - watched.settled) / 10, rel=0.01)


def test_a_consumer_without_threads_has_no_time() -> None:
    watched = Watched().step(10, 10, 20)
    assert watched.rates.catch_up(reading(1000, 200), 0) == UNKNOWN


@pytest.mark.parametrize(
    ("begun", "left", "capacity"),
    [(0, 4, 2.0), (4, 0, 1.6), (1, 1, 1.8), (0, 0, 1.8), (0, 1, 1.9)],
)
def test_what_is_in_hand_is_half_done_by_each_thread_that_has_one(begun: int, left: int, capacity: float) -> None:
    """Two threads are busy for ten seconds together and settle nine. Of what is in hand, each thread has one half done,
    whatever the size of its batch."""
    rates = Rates()
    for second in range(11):
        in_flight = begun if second == 0 else left
        settled = 100 - begun + (9 * second) // 10
        rates.sample(float(second), reading(settled + in_flight, settled, in_flight), float(second))
    settled = 109 - begun
    came = (settled + left - 100) / 10
    told = rates.catch_up(reading(settled + left + 60, settled, left), 2)
    assert told.trend == "catching_up"
    assert told.seconds == pytest.approx((60 + left) / (capacity - came))


def test_while_it_falls_behind_the_time_without_arrivals_is_told() -> None:
    catch_up = Watched(1).step(30, 10, 40).told()
    assert catch_up.trend == "falling_behind"
    assert catch_up.alone == pytest.approx(80.1)
    stuck = Watched(1).step(30, 0, 60).told()
    assert (stuck.trend, stuck.alone) == ("falling_behind", None)
