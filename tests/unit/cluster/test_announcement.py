"""What a hub says of itself, and its bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.cluster.announcement import MOST_BYTES, MOST_QUEUES, MOST_SHARED, OTHERS, bounded, read, total, written
from tests.unit.cluster.news import announcement, queue


def test_it_is_read_as_it_was_written() -> None:
    told = announcement(queues=[queue(rate_in=1.5, trend="steady", paused=True)], reasons=["the store is full"])
    assert read(written(told)) == told


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"node": ""}, "length"),
        ({"node": "n" * 256}, "length"),
        ({"start": "no number"}, "start"),
        ({"number": -1}, "number"),
        ({"time": -1.0}, "time"),
        ({"interval": 0.0}, "interval"),
        ({"state": "dancing"}, "dancing"),
        ({"reasons": ["r"] * 6}, "reasons"),
        ({"queues": [{"name": f"q{index}"} for index in range(MOST_QUEUES + MOST_SHARED + 1)]}, "queues"),
        ({"queues": [{"name": "one"}, {"name": "one"}]}, "twice"),
        ({"queues": [{"name": "q", "received": 1, "settled": 2}]}, "fit together"),
        ({"queues": [{"name": "q", "received": 1 << 54}]}, "received"),
        ({"queues": [{"name": "q", "rate_in": -1.0}]}, "rate_in"),
        ({"queues": "many"}, "queues"),
    ],
)
def test_what_is_beyond_the_bounds_is_refused(change: dict[str, Any], why: str) -> None:
    content = {**json.loads(written(announcement())), **change}
    with pytest.raises(ValueError, match=why):
        read(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 5000, '{"node": "alpha"}', "\ud800"])
def test_what_is_no_announcement_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read(text)


def test_fields_of_a_later_version_are_passed_over() -> None:
    content = {**json.loads(written(announcement())), "weather": "fine"}
    assert read(json.dumps(content)) == announcement()


def test_many_queues_are_summed_and_told() -> None:
    queues = [
        queue(f"q{index:03d}", oldest_age=float(index), rate_in=1.0) for index in reversed(range(MOST_QUEUES + 3))
    ]
    first, others, left_out = bounded(queues)
    assert [one.name for one in first] == [f"q{index:03d}" for index in range(MOST_QUEUES)]
    assert left_out == 3
    assert others is not None
    assert (others.name, others.received, others.backlog, others.oldest_age, others.rate_in) == (OTHERS, 30, 18, 102, 3)
    assert bounded(queues[:2])[1:] == (None, 0)


def test_queues_that_hubs_share_are_in_no_sum_of_others() -> None:
    own = [queue(f"a{index:03d}") for index in range(MOST_QUEUES + 1)]
    jobs = [queue(f"z{index:03d}", shared=True) for index in range(MOST_SHARED + 2)]
    told, others, left_out = bounded([*own, *jobs])
    assert told == [*own[:MOST_QUEUES], *jobs[:MOST_SHARED]]
    assert others == total(OTHERS, own[-1:])
    assert left_out == 3
    assert bounded(jobs)[1:] == (None, 2)


def test_the_largest_one_fits() -> None:
    numbers = dict.fromkeys(("received", "settled", "dropped", "dropped_on_arrival", "in_flight", "delayed"), 1 << 53)
    more = dict.fromkeys(("busy", "rate_in", "rate_out", "oldest_age", "catch_up_seconds"), 1234567890.1234567)
    whole: dict[str, Any] = {**numbers, **more, "threads": 1 << 53, "dead_letters": 1 << 53, "trend": "falling_behind"}
    queues = [
        queue(f"{index:03d}".ljust(64, "n"), **whole, paused=True, shared=True)
        for index in range(MOST_QUEUES + MOST_SHARED)
    ]
    told = announcement("n" * 255, queues=queues, reasons=["r" * 200] * 5, others=queues[0], left_out=1 << 53)
    assert len(written(told)) < MOST_BYTES


def test_the_reading_for_the_estimator_has_the_same_numbers() -> None:
    one = queue(received=100, settled=60, dropped=10, dropped_on_arrival=4, in_flight=3, delayed=2)
    stats = one.stats()
    counters = stats.counters
    assert (counters.received, counters.settled, counters.dropped, counters.dropped_on_arrival) == (100, 60, 10, 4)
    assert (stats.in_flight, stats.delayed, counters.backlog) == (3, 2, 40)


def test_a_sum_is_paused_when_all_are() -> None:
    assert total("x", [queue(paused=True), queue(paused=True)]).paused
    assert not total("x", [queue(paused=True), queue()]).paused
    assert total("x", [queue(), queue()]).rate_in is None
