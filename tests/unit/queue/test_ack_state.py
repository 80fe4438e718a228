"""What a queue writes down, and what the store fetches of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.queue.ack_state import AckState
from hub.stats.counters import Counters
from hub.store import CommittedState, Try


def books(durable: bool = True, **state: object) -> AckState:
    return AckState(CommittedState(**state), durable)  # type: ignore[arg-type]


def test_runs_that_touch_are_one_range_for_the_store() -> None:
    kept = books()
    for start, stop in [(0, 3), (3, 5), (7, 9), (5, 7), (9, 10)]:
        kept.settle(start, stop)
    assert kept.journal.settled == [(0, 5), (7, 9), (5, 7), (9, 10)]
    assert kept.floor == 10


def test_a_store_that_keeps_no_messages_is_not_told_of_them() -> None:
    kept = books(durable=False)
    kept.settle(0, 3)
    kept.tried(4, Try(1))
    assert not kept.journal
    assert kept.floor == 3


def test_what_is_settled_twice_is_a_bug_that_is_met_at_once() -> None:
    kept = books()
    kept.settle(0, 3)
    with pytest.raises(ValueError, match="finished in part already"):
        kept.settle(2, 4)


def test_a_journal_is_fetched_once() -> None:
    kept = books()
    kept.settle(0, 3)
    kept.tried(5, Try(2))
    first, second = kept.take_journal(70, 5), kept.take_journal(60, 6)
    assert (first.settled, first.tries, first.unread_bytes) == ([(0, 3)], {5: Try(2)}, 70)
    assert (bool(second), second.unread_bytes) == (False, 60)


def test_its_counters_are_those_of_that_moment() -> None:
    kept = books()
    kept.counters.finished = 3
    journal = kept.take_journal(0, 0)
    kept.counters.finished = 4
    assert journal.counters.finished == 3


def test_the_newest_try_counts() -> None:
    kept = books()
    kept.tried(5, Try(1))
    kept.tried(5, Try(2))
    assert kept.take_journal(0, 0).tries == {5: Try(2)}


def test_it_goes_on_where_the_store_left_it() -> None:
    counters = Counters(received=9, finished=6)
    kept = books(floor=4, ranges=[(6, 8)], counters=counters)
    assert (kept.floor, kept.counters) == (4, counters)
    assert list(kept.unsettled(0, 9)) == [(4, 6), (8, 9)]
    assert not kept.journal


ranges = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6)


@given(ranges, ranges)
def test_settling_all_that_is_left_counts_each_position_once(
    some: list[tuple[int, int]], more: list[tuple[int, int]]
) -> None:
    kept, settled = books(), set[int]()
    for start, stop in some + more:
        fresh = set(range(start, stop)) - settled
        assert kept.settle_all(kept.unsettled(start, stop)) == len(fresh)
        settled |= fresh
    assert {at for start, stop in kept.journal.settled for at in range(start, stop)} == settled
