"""When a backlog will be gone: the rule, step by step."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hub.stats.catchup import (
    ENOUGH,
    IDLE,
    QUIET,
    SPAN,
    STEADILY,
    STEADY,
    UNKNOWN,
    CatchUp,
    _gain_by_work,
    _quiet,
    _retries,
    _run,
)
from hub.stats.counters import Counters, QueueStats
from hub.stats.rates import Rates
from hub.stats.samples import Sample


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


# -- the parts of the rule


def sample(time: float, received: int = 0, settled: int = 0, busy: float = 0.0, in_flight: int = 0) -> Sample:
    return Sample(time, received, settled, busy, in_flight, 0)


@pytest.mark.parametrize(
    ("first", "last", "threads", "gain"),
    [
        # ten a thread and second, less the two that come a second
        (sample(0), sample(10, 20, 50, 5.0), 1, 8.0),
        (sample(0), sample(10, 20, 50, 5.0), 3, 28.0),
        (sample(0), sample(10, 20, 50, 0.5), 1, 98.0),
        # of what is in flight, each thread has half a message done; of what was in flight before, half was done then
        (sample(0), sample(10, 20, 50, 5.0, in_flight=1), 1, 8.1),
        (sample(0), sample(10, 20, 50, 5.0, in_flight=9), 2, 18.4),
        (sample(0, in_flight=1), sample(10, 20, 50, 5.0), 1, 7.9),
        (sample(0, in_flight=9), sample(10, 20, 50, 5.0, in_flight=4), 4, 38.0),
        # counters and times begin anywhere
        (sample(100, 1000, 900, 70.0), sample(110, 1020, 950, 75.0), 1, 8.0),
    ],
)
def test_the_work_of_the_threads_tells_the_gain(first: Sample, last: Sample, threads: int, gain: float) -> None:
    """Messages that were settled for each second of work, by each thread, less those that come."""
    between = [Sample(first.time + 1, first.received + 2, first.settled, first.busy, 7, 0)]
    assert _gain_by_work([first, *between, last], [first, last], threads) == pytest.approx(gain)


@pytest.mark.parametrize(
    ("last", "threads"),
    [
        (sample(10, 20, 50, 0.0), 1),  # nothing was worked on: there is no measure
        (sample(10, 980, 500, 5.0), 1),  # 100 a second against 98: no more than the share that counts
        (sample(10, 200, 50, 5.0), 1),  # more comes
        (sample(10, 20, 50, 5.0), 0),
    ],
)
def test_without_work_or_a_clear_difference_there_is_no_gain(last: Sample, threads: int) -> None:
    assert _gain_by_work([sample(0), last], [sample(0), last], threads) == 0.0


def test_a_gain_just_above_the_share_that_counts_is_one() -> None:
    samples = [sample(0), sample(10, 97, 50, 5.0)]
    assert _gain_by_work(samples, samples, 1) == pytest.approx(0.3)


def test_work_that_was_taken_back_is_no_capacity() -> None:
    """Where more was in flight than was settled since, the difference is below zero."""
    samples = [sample(0, in_flight=9), sample(10, 0, 1, 5.0)]
    assert _gain_by_work(samples, samples, 9) == 0.0


def test_without_a_run_what_came_before_it_tells_what_comes() -> None:
    samples = [sample(float(second), 2 * second, 5 * second, second / 2) for second in range(11)]
    assert _gain_by_work(samples, [], 1) == pytest.approx(8.0)
    burst = sample(11.0, 9000, 55, 5.5)
    assert _gain_by_work([*samples, burst], [burst], 1) == pytest.approx(8.0)
    assert _gain_by_work(samples[:1], [], 1) == 0.0


def test_a_retry_of_the_last_seconds_may_be_in_flight_now() -> None:
    def waited(time: float) -> list[Sample]:
        """For a retry, alone, at that time; nothing has waited since."""
        return [Sample(time, 5, 4, 0.0, 0, 1), *[Sample(second, 5, 4, 0.0, 1, 0) for second in (90.0, 100.0)]]

    assert _retries(waited(100.0 - QUIET + 0.1))
    assert not _retries(waited(100.0 - QUIET))
    assert not _retries([Sample(100.0, 6, 4, 0.0, 0, 1)]), "one waits for a thread, too"
    assert not _retries([Sample(100.0, 5, 5, 0.0, 0, 0)]), "nothing waits"


def test_the_run_is_the_end_of_the_samples_in_which_messages_wait_for_a_thread() -> None:
    waiting, busy = sample(1.0, 5, 3, in_flight=1), sample(2.0, 5, 3, in_flight=2)
    assert _run([waiting, busy, waiting, waiting]) == [waiting, waiting]
    assert _run([waiting, waiting]) == [waiting, waiting]
    assert (_run([waiting, busy]), _run([])) == ([], [])


@pytest.mark.parametrize(("seconds", "quiet"), [(QUIET - 0.5, False), (QUIET, True)])
def test_a_queue_is_quiet_once_nothing_was_settled_for_that_long(seconds: float, quiet: bool) -> None:
    begin = [sample(0.0, 9, 0), sample(1.0, 9, 1), sample(2.0, 9, 2)]
    assert _quiet([*begin, sample(2.0 + seconds, 9, 2)]) is quiet


def test_a_silence_that_is_no_longer_than_earlier_ones_means_nothing() -> None:
    """Up to twice the longest; time without a backlog is none."""
    begin = [sample(0.0, 9, 0), sample(8.0, 9, 1), sample(9.0, 9, 2)]
    assert not _quiet([*begin, sample(24.9, 9, 2)])
    assert _quiet([*begin, sample(25.0, 9, 2)])
    idle = [sample(0.0, 1, 0), sample(1.0, 1, 1), *[sample(float(second), 1, 1) for second in range(2, 31)]]
    assert not _quiet([*idle, sample(31.0, 2, 1)])
    assert _quiet([*idle, sample(31.0, 2, 1), sample(31.0 + QUIET, 2, 1)])


def test_one_that_never_settled_anything_is_quiet_after_a_minute() -> None:
    assert not _quiet([sample(0.0, 9, 0), sample(SPAN - 1.1, 9, 0)])
    assert _quiet([sample(0.0, 9, 0), sample(SPAN - 1.0, 9, 0)])
    assert not _quiet([])
