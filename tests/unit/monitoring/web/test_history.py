"""All queues' numbers over time."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.web.history import MOST, History, Row
from hub.monitoring.web.ring import TIERS, Tier

SMALL = (Tier(1, 10), Tier(5, 6), Tier(20, 4))
START = 1_000_000.0


def row(backlog: int, received: int = 0) -> dict[str, int]:
    return {"backlog": backlog, "received": max(backlog, received)}


def column(history: History, span: int, key: str = "backlog", name: str = "c") -> list[Any]:
    found: list[Any] = history.view(span, [name]).document()["consumers"][name][key]
    return found


def test_the_last_seconds_are_kept_one_by_one() -> None:
    history = History(SMALL)
    for second in range(15):
        history.sample(START + second + 0.5, float(second), {"c": row(second)})
    view = history.view(10, ["c"]).document()
    assert (view["step"], view["start"]) == (1, START + 5)
    assert view["consumers"]["c"]["backlog"] == list(range(5, 15))
    assert column(history, 3) == [12, 13, 14]


def test_longer_spans_have_the_mean_and_the_highest() -> None:
    history = History(SMALL)
    for second in range(20):
        history.sample(START + second + 0.5, float(second), {"c": row(second)})
    view = history.view(30, ["c"]).document()
    assert (view["step"], view["start"]) == (5, START - 10)
    assert view["consumers"]["c"]["backlog"] == [None, None, 2, 7, 12, 17]
    assert view["consumers"]["c"]["backlog_max"] == [None, None, 4, 9, 14, 19]


def test_a_span_that_is_longer_than_all_gets_what_there_is() -> None:
    history = History(SMALL)
    history.sample(START, 0.0, {"c": row(5)})
    assert history.view(10**9, ["c"]).document()["step"] == 20
    assert len(column(history, 10**9)) == 4


def test_rates_are_of_the_counters_and_differ_by_the_backlogs_slope() -> None:
    history = History(SMALL)
    for second, (received, backlog) in enumerate([(0, 0), (10, 8), (30, 23), (30, 18)]):
        history.sample(START + second, 100.0 + second, {"c": row(backlog, received)})
    assert column(history, 4, "rate_in") == [None, 10, 20, 0]
    assert column(history, 4, "rate_out") == [None, 2, 5, 5]


def test_rates_go_by_the_clock_that_does_not_jump() -> None:
    history = History(SMALL)
    history.sample(START, 10.0, {"c": row(0, 0)})
    history.sample(START + 1, 14.0, {"c": row(0, 40)})
    assert column(history, 1, "rate_in") == [10]


def test_counters_that_fell_give_no_rate() -> None:
    history = History(SMALL)
    history.sample(START, 0.0, {"c": row(0, 100)})
    history.sample(START + 1, 1.0, {"c": row(0, 5)})
    assert column(history, 2, "rate_in") == [None, None]


def test_seconds_without_a_sample_are_a_gap() -> None:
    history = History(SMALL)
    for second in (0, 1, 5):
        history.sample(START + second, float(second), {"c": row(second)})
    assert column(history, 6) == [0, 1, None, None, None, 5]


def test_a_clock_that_is_set_back_and_forward_again_harms_only_what_it_comes_by() -> None:
    history = History(SMALL)
    for moment, second in enumerate([0, 1, 2, 3, 500, 501, 4, 5]):
        history.sample(START + second, float(moment), {"c": row(moment + 1)})
    # The places of the seconds 500 and 501 are those of 0 and 1.
    assert column(history, 6) == [None, None, 3, 4, 7, 8]
    for moment, second in enumerate([-3, -2]):
        history.sample(START + second, 8.0 + moment, {"c": row(70)})
    assert column(history, 2) == [70, 70]


def test_finished_buckets_are_handed_out() -> None:
    history, rows = History(SMALL), []
    for second in range(21):
        rows += history.sample(START + second, float(second), {"c": row(2, 2 * second)})
    assert [found.bucket for found in rows if found.step == 1] == [int(START) + second for second in range(20)]
    assert [found.time for found in rows if found.step == 5] == [START, START + 5, START + 10, START + 15]
    (longest,) = [found for found in rows if found.step == 20]
    assert longest.queues["c"] == [20, 40, 2, 19.0, 36, 36]
    assert [found.bucket for found in history.close()] == [START + 20]


def test_what_was_kept_is_there_after_a_restart_and_unfinished_buckets_are_made_of_finer_ones() -> None:
    whole, before, rows = History(SMALL), History(SMALL), []
    samples = [
        (START + second, float(second), {"c": row(second * second, 7 * second * second)}) for second in range(29)
    ]
    for sample in samples:
        whole.sample(*sample)
        if sample[1] < 23:
            rows += before.sample(*sample)
    rows += before.close()
    after = History(SMALL)
    made = after.restore(sorted(rows, key=lambda found: (found.step, found.bucket)), START + 23)
    assert made == []
    for sample in samples[23:]:
        after.sample(*sample)
    for span in (10, 30, 80):
        assert column(after, span) == column(whole, span)
        assert column(after, span, "backlog_max") == column(whole, span, "backlog_max")


def test_buckets_that_a_crash_left_unfinished_are_finished() -> None:
    history, rows = History(SMALL), []
    for second in range(23):
        rows += history.sample(START + second, float(second), {"c": row(second)})
    fine = [found for found in rows if found.step == 1]
    after = History(SMALL)
    made = after.restore(fine, START + 41)
    assert sorted((found.step, found.time) for found in made) == [
        *((5, START + start) for start in (0, 5, 10, 15, 20)),
        *((20, START + start) for start in (0, 20)),
    ]
    after.sample(START + 41, 0.0, {"c": row(0)})
    assert column(after, 80, "backlog_max") == [None, 19, 21, 0]


def test_rows_of_a_time_to_come_are_left_out() -> None:
    history = History(SMALL)
    history.restore([Row(1, int(START) + 9, {"c": (1, 5, 5, 0, 0, 0)}), Row(7, 1, {"c": (1, 5, 5, 0, 0, 0)})], START)
    assert history.names() == []


def test_a_queue_that_is_gone_ages_out() -> None:
    history = History(SMALL)
    history.sample(START, 0.0, {"old": row(1), "c": row(1)})
    for second in range(20, 121, 20):
        history.sample(START + second, float(second), {"c": row(1)})
        assert ("old" in history.names()) == (second <= 80)


def test_queues_are_bounded_and_one_that_is_gone_makes_room() -> None:
    history = History(SMALL)
    history.sample(START, 0.0, {str(number): row(1) for number in range(MOST + 5)})
    assert len(history.names()) == MOST
    history.sample(START + 5, 5.0, {"new": row(1)})
    assert len(history.names()) == MOST
    assert "new" in history.names()


def test_before_the_first_sample_there_is_nothing() -> None:
    assert History().view(600, []).document()["consumers"] == {}


@given(st.lists(st.tuples(st.integers(-30, 60), st.integers(0, 9)), min_size=1, max_size=60))
def test_whatever_the_clock_does_the_finest_tier_is_what_was_seen_last(samples: list[tuple[int, int]]) -> None:
    history = History(SMALL)
    for moment, (second, backlog) in enumerate(samples):
        history.sample(START + second, float(moment), {"c": row(backlog)})
    places: dict[int, tuple[int, float]] = {}
    for second, run in groupby(samples, key=lambda sample: sample[0]):
        seen = [backlog for _, backlog in run]
        places[(int(START) + second) % 10] = (second, sum(seen) / len(seen))
    last = samples[-1][0]
    expected = [
        places[(int(START) + second) % 10][1] if places.get((int(START) + second) % 10, (None,))[0] == second else None
        for second in range(last - 9, last + 1)
    ]
    assert column(history, 10) == pytest.approx(expected, abs=0.001)


def test_the_tiers_reach_from_seconds_to_a_month() -> None:
    assert [tier.span for tier in TIERS] == [600, 6 * 3600, 2 * 86400, 30 * 86400]
