"""How what is unread comes into the ready window, and how it is dropped."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import pytest

from hub.queue.ages import AgeLimit
from hub.queue.books import Books
from hub.queue.refill import (
    EXPIRE_AT_ONCE,
    bring_back,
    drop_all,
    drop_expired,
    drop_expired_unread,
    drop_ready,
    drop_unread,
    first_kept,
    take_in,
)
from hub.queue.schedule import Entry
from hub.queue.waiting import Waiting, Window
from hub.store import QueueState, Run
from tests.unit.doubles import message, messages, size_of


def before(oldest: float) -> AgeLimit:
    return AgeLimit(oldest, math.inf, sys.maxsize)


class Desk:
    """A queue that is behind: nothing of ``count`` messages is in memory."""

    def __init__(self, count: int, settled: Sequence[tuple[int, int]] = (), window: Window | None = None) -> None:
        self.books = Books(QueueState(ranges=list(settled)), True)
        self.books.counters.received = count
        self.waiting = Waiting(window or Window(100, 10_000), 0, count)
        self.waiting.unread_size = 2 * count
        self.stop = count

    def take_in(self, *runs: Run) -> None:
        take_in(self.waiting, self.books, self.waiting.loaded, self.stop, runs)

    def ready(self) -> list[int]:
        found: list[int] = []
        while self.waiting.ready:
            found += self.waiting.ready.take(99)[0]
        return found

    @property
    def damaged(self) -> int:
        return self.books.counters.dropped_damaged


def run(start: int, stop: int, damaged: str = "") -> Run:
    batch = [] if damaged else [message(n) for n in range(start, stop)]
    return Run(start, batch, size_of(batch), stop - start, damaged)


def test_what_was_read_is_ready() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 3), run(3, 6))
    assert (desk.waiting.loaded, desk.waiting.behind, desk.waiting.unread_size) == (6, False, 0)
    assert desk.ready() == list(range(6))


def test_a_part_leaves_the_rest_unread() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 2))
    assert (desk.waiting.loaded, desk.waiting.behind, desk.waiting.unread_size) == (2, True, 8)


def test_what_is_settled_is_left_out() -> None:
    desk = Desk(6, [(1, 3), (4, 5)])
    desk.take_in(run(0, 6))
    assert (desk.ready(), desk.damaged) == ([0, 3, 5], 0)
    assert desk.waiting.ready.size == 0


def test_a_gap_that_is_settled_is_none() -> None:
    desk = Desk(6, [(2, 4)])
    desk.take_in(run(0, 2), run(4, 6))
    assert (desk.ready(), desk.damaged) == ([0, 1, 4, 5], 0)


def test_what_should_be_there_and_is_not_is_lost_and_counted() -> None:
    desk = Desk(6, [(2, 3)])
    desk.take_in(run(0, 2), run(4, 6))
    assert (desk.ready(), desk.damaged) == ([0, 1, 4, 5], 1)
    assert list(desk.books.unsettled(0, 6)) == [(0, 2), (4, 6)]


def test_so_is_all_where_nothing_was_read() -> None:
    desk = Desk(6, [(2, 3)])
    desk.take_in()
    assert (desk.waiting.behind, desk.damaged, desk.books.floor) == (False, 5, 6)


def test_what_arrived_after_the_reading_is_not_lost() -> None:
    desk = Desk(4)
    desk.waiting.next_position = 6
    desk.take_in()
    assert (desk.waiting.loaded, desk.waiting.behind, desk.damaged) == (4, True, 4)


def test_damage_is_counted_but_for_what_was_settled() -> None:
    desk = Desk(6, [(1, 2)])
    desk.take_in(run(0, 3, "the checksum is wrong"), run(3, 6))
    assert (desk.ready(), desk.damaged, desk.waiting.behind) == ([3, 4, 5], 2, False)


def test_what_waits_for_a_retry_is_neither_ready_nor_lost() -> None:
    desk = Desk(6)
    desk.waiting.resume({at: Entry(at, None, 1, 1, 0, 9.0) for at in (1, 4)}, in_lanes=False)
    desk.take_in(run(0, 3), run(3, 6, "damaged"))
    assert (desk.ready(), desk.damaged) == ([0, 2], 2)
    assert list(desk.books.unsettled(0, 6)) == [(0, 3), (4, 5)]


def test_what_was_dropped_while_it_was_read_stays_dropped() -> None:
    desk = Desk(6)
    assert drop_unread(desk.waiting, desk.books, 4) == 4
    take_in(desk.waiting, desk.books, 0, 6, [run(0, 3), run(3, 6)])
    assert (desk.ready(), desk.damaged, desk.books.floor) == ([4, 5], 0, 4)


def test_what_is_stored_and_not_offered_yet_is_left_to_the_offer() -> None:
    desk = Desk(4)
    desk.take_in(run(0, 3), run(3, 6), run(6, 9))
    assert (desk.waiting.loaded, desk.damaged, desk.books.floor) == (4, 0, 0)
    assert desk.ready() == [0, 1, 2, 3]
    desk.waiting.arrive(4, messages(5), 10)
    assert desk.ready() == [4, 5, 6, 7, 8]


def test_where_only_such_are_left_the_queue_has_caught_up() -> None:
    """Or the threads would read on and on until they are offered."""
    desk = Desk(4, [(0, 4)])
    desk.take_in(run(4, 6))
    assert (desk.waiting.behind, desk.waiting.wants(), desk.damaged) == (False, 0, 0)


# -- dropping


@pytest.mark.parametrize(("count", "dropped", "left"), [(1, 1, 5), (4, 3, 2), (6, 5, 0), (99, 5, 0)])
def test_of_the_unread_the_first_positions_are_dropped(count: int, dropped: int, left: int) -> None:
    desk = Desk(6, [(1, 2)])
    assert drop_unread(desk.waiting, desk.books, count) == dropped
    assert desk.waiting.next_position - desk.waiting.loaded == left
    assert desk.waiting.unread_size == 2 * left


def test_dropping_spares_what_waits_for_a_retry() -> None:
    desk = Desk(6)
    desk.waiting.resume({2: Entry(2, None, 1, 1, 0, 9.0)}, in_lanes=False)
    assert drop_all(desk.waiting, desk.books) == 5
    assert list(desk.books.unsettled(0, 6)) == [(2, 3)]


def test_all_is_what_is_ready_and_what_is_unread() -> None:
    desk = Desk(9, [(4, 5)])
    desk.take_in(run(0, 6))
    assert drop_all(desk.waiting, desk.books) == 8
    assert (desk.books.counters.dropped_purged, desk.books.floor, desk.waiting.behind) == (8, 9, False)


def test_of_the_ready_the_oldest_are_dropped() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 6))
    assert drop_ready(desk.waiting, desk.books, 2) == 2
    assert (desk.books.floor, desk.ready()) == (2, [2, 3, 4, 5])


def test_what_is_older_than_it_may_be_is_dropped() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 6))
    drop_expired(desk.waiting, desk.books, before(4.0))
    assert (desk.books.counters.dropped_expired, desk.ready()) == (4, [4, 5])


def test_a_bounded_number_is_expired_at_a_time() -> None:
    count = EXPIRE_AT_ONCE + 5
    desk = Desk(count, window=Window(10_000, 10_000))
    desk.take_in(*(run(at, at + 1) for at in range(count)))
    assert drop_expired(desk.waiting, desk.books, before(1e9)) == EXPIRE_AT_ONCE
    assert len(desk.ready()) == 5


@pytest.mark.parametrize("first", [0, 1, 2, 3, 7, 8, 500, 998, 999, 1000])
def test_what_is_not_too_old_is_found_by_asking_for_a_few_times(first: int) -> None:
    asked: list[int] = []

    def received_at(position: int) -> float:
        asked.append(position)
        return float(position)

    assert first_kept(received_at, 0, 1000, float(first)) == first
    assert len(asked) <= 20
    assert max(asked) <= max(2, 4 * first)


def test_of_the_unread_what_is_too_old_is_dropped() -> None:
    desk = Desk(6, [(1, 2)])
    drop_expired_unread(desk.waiting, desk.books, 4, 4.0)
    assert (desk.books.counters.dropped_expired, desk.waiting.loaded, desk.waiting.oldest_unread) == (3, 4, 4.0)
    desk.take_in(run(4, 6))
    drop_expired_unread(desk.waiting, desk.books, 5, 5.0)
    drop_expired_unread(desk.waiting, desk.books, 6, 6.0)
    assert (desk.books.counters.dropped_expired, desk.ready()) == (3, [4, 5])


# -- what waited for a retry when the hub ended


def tried(*positions: int) -> dict[int, Entry]:
    return {at: Entry(at, None, 1, 1, 0, 9.0, received_at=-1.0) for at in positions}


@pytest.mark.parametrize("in_lanes", [True, False])
def test_its_age_is_known_when_it_is_read_with_the_others(in_lanes: bool) -> None:
    desk = Desk(6)
    desk.waiting.resume(tried(1, 5), in_lanes)
    desk.take_in(run(0, 3))
    found = [desk.waiting.entry(at) for at in (1, 5)]
    assert [entry.received_at if entry else None for entry in found] == [1.0, -1.0]
    assert desk.waiting.oldest_unread == 2.0


@pytest.mark.parametrize("in_memory", [0, 3, 6])
def test_in_lanes_too_dropping_spares_it_and_it_comes_back_to_its_place(in_memory: int) -> None:
    desk = Desk(6)
    desk.waiting.resume(tried(1, 4), in_lanes=True)
    if in_memory:
        desk.take_in(run(0, in_memory))
    assert drop_all(desk.waiting, desk.books) == 4
    assert list(desk.books.unsettled(0, 6)) == [(1, 2), (4, 5)]
    assert (desk.waiting.delayed, desk.waiting.behind, desk.waiting.ready.size) == (2, False, 0)
    desk.waiting.arrive(6, [message(6)], 2)
    assert desk.waiting.unsorted() == []
    for entry in list(desk.waiting.resumed.spared):
        bring_back(desk.waiting, desk.books, entry, message(entry.position))
    assert (desk.waiting.ready.first(9)[0], desk.waiting.delayed) == ([1, 4, 6], 2)
    assert [(entry.position, entry.attempts) for entry in desk.waiting.unsorted()] == [(1, 1)]


def test_in_lanes_what_is_lost_is_counted_and_waits_no_more() -> None:
    desk = Desk(3)
    desk.waiting.resume(tried(1), in_lanes=True)
    desk.take_in(run(0, 3, "damaged"))
    assert desk.damaged == 2
    bring_back(desk.waiting, desk.books, desk.waiting.resumed.spared[0], None)
    assert (desk.damaged, desk.waiting.delayed, desk.waiting.aside(), desk.books.floor) == (3, 0, [], 3)
