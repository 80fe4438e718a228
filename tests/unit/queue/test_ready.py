"""How what is unread comes into the ready window, and how it is dropped."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import pytest

from hub.queue.ack_state import AckState
from hub.queue.ages import AgeLimit
from hub.queue.backlog import Backlog
from hub.queue.delivery import Entry
from hub.queue.loaded_messages import EXPIRE_AT_ONCE
from hub.queue.policy import Window
from hub.queue.ready import first_kept
from hub.store import CommittedState, Run
from tests.unit.doubles import message, messages, size_of
from tests.unit.queue.purging import purge


def before(oldest: float) -> AgeLimit:
    return AgeLimit(oldest, math.inf, sys.maxsize)


class Desk:
    """A queue that is behind: nothing of ``count`` messages is in memory."""

    def __init__(self, count: int, settled: Sequence[tuple[int, int]] = (), window: Window | None = None) -> None:
        self.books = AckState(CommittedState(ranges=list(settled)), True)
        self.books.counters.received = count
        self.waiting = Backlog(self.books, window or Window(100, 10_000), 0, count)
        self.window = self.waiting.ready
        self.window.unread_size = 2 * count
        self.stop = count

    def take_in(self, *runs: Run) -> None:
        self.window.fill(self.window.loaded, self.stop, runs)

    def ready(self) -> list[int]:
        found: list[int] = []
        while self.window.batches:
            found += self.window.batches.take(99)[0]
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
    assert (desk.window.loaded, desk.window.behind, desk.window.unread_size) == (6, False, 0)
    assert desk.ready() == list(range(6))


def test_a_part_leaves_the_rest_unread() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 2))
    assert (desk.window.loaded, desk.window.behind, desk.window.unread_size) == (2, True, 8)


def test_what_is_settled_is_left_out() -> None:
    desk = Desk(6, [(1, 3), (4, 5)])
    desk.take_in(run(0, 6))
    assert (desk.ready(), desk.damaged) == ([0, 3, 5], 0)
    assert desk.window.batches.size == 0


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
    assert (desk.window.behind, desk.damaged, desk.books.floor) == (False, 5, 6)


def test_what_arrived_after_the_reading_is_not_lost() -> None:
    desk = Desk(4)
    desk.window.next_position = 6
    desk.take_in()
    assert (desk.window.loaded, desk.window.behind, desk.damaged) == (4, True, 4)


def test_damage_is_counted_but_for_what_was_settled() -> None:
    desk = Desk(6, [(1, 2)])
    desk.take_in(run(0, 3, "the checksum is wrong"), run(3, 6))
    assert (desk.ready(), desk.damaged, desk.window.behind) == ([3, 4, 5], 2, False)


def test_what_waits_for_a_retry_is_neither_ready_nor_lost() -> None:
    desk = Desk(6)
    desk.waiting.schedule.recover({at: Entry(at, None, 1, 1, 0, 9.0) for at in (1, 4)}, with_keys=False)
    desk.take_in(run(0, 3), run(3, 6, "damaged"))
    assert (desk.ready(), desk.damaged) == ([0, 2], 2)
    assert list(desk.books.unsettled(0, 6)) == [(0, 3), (4, 5)]


def test_what_was_dropped_while_it_was_read_stays_dropped() -> None:
    desk = Desk(6)
    assert desk.window.drop_unread(4) == 4
    desk.window.fill(0, 6, [run(0, 3), run(3, 6)])
    assert (desk.ready(), desk.damaged, desk.books.floor) == ([4, 5], 0, 4)


def test_what_is_stored_and_not_offered_yet_is_left_to_the_offer() -> None:
    desk = Desk(4)
    desk.take_in(run(0, 3), run(3, 6), run(6, 9))
    assert (desk.window.loaded, desk.damaged, desk.books.floor) == (4, 0, 0)
    assert desk.ready() == [0, 1, 2, 3]
    desk.window.arrive(4, messages(5), 10)
    assert desk.ready() == [4, 5, 6, 7, 8]


def test_where_only_such_are_left_the_queue_has_caught_up() -> None:
    """Or the threads would read on and on until they are offered."""
    desk = Desk(4, [(0, 4)])
    desk.take_in(run(4, 6))
    assert (desk.window.behind, desk.window.wanted(), desk.damaged) == (False, 0, 0)


def test_the_bytes_of_what_is_ready_are_those_of_its_bodies() -> None:
    """Bytes of a run are those of all its messages, also of settled ones."""
    batch = [message(number, body=b"x" * (number + 1)) for number in range(6)]
    desk = Desk(6, [(4, 5)])
    desk.window.unread_size = 100
    desk.take_in(Run(0, batch[:3], 6, 3))
    assert (desk.window.batches.size, desk.window.unread_size) == (6, 94)
    desk.take_in(Run(3, batch[3:], 15, 3))
    assert (desk.window.batches.size, desk.window.unread_size) == (6 + 4 + 6, 0)
    assert desk.ready() == [0, 1, 2, 3, 5]


def test_a_run_that_begins_before_what_is_wanted_is_taken_from_there() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 2))
    desk.take_in(run(0, 4))
    assert (desk.ready(), desk.window.loaded, desk.damaged, desk.window.batches.size) == ([0, 1, 2, 3], 4, 0, 0)


# -- dropping


@pytest.mark.parametrize(("count", "dropped", "left"), [(1, 1, 5), (4, 3, 2), (6, 5, 0), (99, 5, 0)])
def test_of_the_unread_the_first_positions_are_dropped(count: int, dropped: int, left: int) -> None:
    desk = Desk(6, [(1, 2)])
    assert desk.window.drop_unread(count) == dropped
    assert desk.window.next_position - desk.window.loaded == left
    assert desk.window.unread_size == 2 * left


def test_dropping_spares_what_waits_for_a_retry() -> None:
    desk = Desk(6)
    desk.waiting.schedule.recover({2: Entry(2, None, 1, 1, 0, 9.0)}, with_keys=False)
    assert purge(desk.waiting) == 5
    assert list(desk.books.unsettled(0, 6)) == [(2, 3)]


def test_all_is_what_is_ready_and_what_is_unread() -> None:
    desk = Desk(9, [(4, 5)])
    desk.take_in(run(0, 6))
    assert purge(desk.waiting) == 8
    assert (desk.books.counters.dropped_purged, desk.books.floor, desk.window.behind) == (8, 9, False)


def test_of_the_ready_the_oldest_are_dropped() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 6))
    assert desk.window.drop_loaded(2) == 2
    assert (desk.books.floor, desk.ready()) == (2, [2, 3, 4, 5])


def test_what_is_older_than_it_may_be_is_dropped() -> None:
    desk = Desk(6)
    desk.take_in(run(0, 6))
    desk.window.drop_expired(before(4.0))
    assert (desk.books.counters.dropped_expired, desk.ready()) == (4, [4, 5])


def test_a_bounded_number_is_expired_at_a_time() -> None:
    count = EXPIRE_AT_ONCE + 5
    desk = Desk(count, window=Window(10_000, 10_000))
    desk.take_in(*(run(at, at + 1) for at in range(count)))
    assert desk.window.drop_expired(before(1e9)) == EXPIRE_AT_ONCE
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
    desk.window.drop_expired_unread(4, 4.0)
    assert (desk.books.counters.dropped_expired, desk.window.loaded, desk.window.oldest_unread) == (3, 4, 4.0)
    desk.take_in(run(4, 6))
    desk.window.drop_expired_unread(5, 5.0)
    desk.window.drop_expired_unread(6, 6.0)
    assert (desk.books.counters.dropped_expired, desk.ready()) == (3, [4, 5])


# -- what waited for a retry when the hub ended


def tried(*positions: int) -> dict[int, Entry]:
    return {at: Entry(at, None, 1, 1, 0, 9.0, received_at=-1.0) for at in positions}


@pytest.mark.parametrize("in_lanes", [True, False])
def test_its_age_is_known_when_it_is_read_with_the_others(in_lanes: bool) -> None:
    desk = Desk(6)
    desk.waiting.schedule.recover(tried(1, 5), in_lanes)
    desk.take_in(run(0, 3))
    found = [desk.waiting.schedule.get(at) for at in (1, 5)]
    assert [entry.received_at if entry else None for entry in found] == [1.0, -1.0]
    assert desk.window.oldest_unread == 2.0


@pytest.mark.parametrize("in_memory", [0, 3, 6])
def test_in_lanes_too_dropping_spares_it_and_it_comes_back_to_its_place(in_memory: int) -> None:
    desk = Desk(6)
    desk.waiting.schedule.recover(tried(1, 4), with_keys=True)
    if in_memory:
        desk.take_in(run(0, in_memory))
    assert purge(desk.waiting) == 4
    assert list(desk.books.unsettled(0, 6)) == [(1, 2), (4, 5)]
    assert (desk.waiting.delayed, desk.window.behind, desk.window.batches.size) == (2, False, 0)
    desk.window.arrive(6, [message(6)], 2)
    assert desk.waiting.unsorted() == []
    for entry in list(desk.waiting.schedule.recovered.exempted):
        desk.window.restore(entry, message(entry.position))
    assert (desk.window.batches.first(9)[0], desk.waiting.delayed) == ([1, 4, 6], 2)
    assert [(entry.position, entry.attempts) for entry in desk.waiting.unsorted()] == [(1, 1)]


def test_in_lanes_what_is_lost_is_counted_and_waits_no_more() -> None:
    desk = Desk(3)
    desk.waiting.schedule.recover(tried(1), with_keys=True)
    desk.take_in(run(0, 3, "damaged"))
    assert desk.damaged == 2
    desk.window.restore(desk.waiting.schedule.recovered.exempted[0], None)
    assert (desk.damaged, desk.waiting.delayed, desk.waiting.schedule.entries(), desk.books.floor) == (3, 0, [], 3)


# -- what is read at a time


def windowed(count: int, size: int, unread: int) -> Desk:
    """Two messages of two bytes are ready, the others are unread."""
    desk = Desk(unread + 2, window=Window(count, size))
    desk.take_in(run(0, 2))
    return desk


def test_no_more_is_read_than_the_window_has_room_for() -> None:
    assert windowed(10, 100, 50).window.wanted() == 8
    assert windowed(10, 100, 3).window.wanted() == 3
    assert windowed(10, 100, 50).window.room() == 96
    assert windowed(10, 3, 50).window.room() == 1


def test_nothing_is_read_while_half_the_window_is_full() -> None:
    assert windowed(3, 100, 50).window.wanted() == 0
    assert windowed(4, 100, 50).window.wanted() == 2
    assert windowed(99, 7, 50).window.wanted() == 0
    assert windowed(99, 8, 50).window.wanted() == 50


def test_what_is_ready_by_key_takes_room_too_and_what_waits_behind_a_retry_does_not() -> None:
    desk = windowed(10, 100, 50)
    desk.waiting.sort(desk.waiting.unsorted(), ["x", "x"])
    assert (desk.window.wanted(), desk.window.room()) == (8, 96)
    taken = desk.waiting.take(1, 0.0, with_keys=True)
    assert taken is not None
    assert (desk.window.wanted(), desk.window.room()) == (10, 100)


def test_nothing_is_read_while_those_in_key_order_fill_the_window() -> None:
    desk = windowed(2, 100, 50)
    desk.waiting.sort(desk.waiting.unsorted(), ["x", "y"])
    assert (len(desk.window.batches), desk.window.wanted()) == (0, 0)


def test_half_a_window_is_counted_by_what_is_there_and_the_room_by_what_is_left() -> None:
    ready = windowed(5, 100, 50).window
    assert (ready.wanted(), ready.room()) == (3, 96)
    ready.batches.take(1)
    assert (ready.wanted(), ready.room()) == (4, 96), "bytes of a batch count until its last message is taken"
    ready.batches.take(1)
    assert (ready.wanted(), ready.room()) == (5, 100)


def test_a_queue_that_is_not_behind_or_has_no_bounds_reads_nothing() -> None:
    assert windowed(10, 100, 0).window.wanted() == 0
    unbounded = Backlog(AckState(CommittedState(), True), None, 0, 9).ready
    assert (unbounded.behind, unbounded.wanted(), unbounded.room()) == (True, 0, 0)


def test_what_was_dropped_while_it_was_read_is_not_taken_off_the_unread_bytes_again() -> None:
    desk = Desk(8)
    desk.window.drop_unread(4)
    assert desk.window.unread_size == 8
    desk.window.fill(0, 8, [run(0, 2), run(2, 4)])
    assert (desk.window.loaded, desk.window.unread_size) == (4, 8)


def test_no_time_is_asked_for_beyond_the_last_position() -> None:
    times = [float(at) for at in range(9)]
    assert [first_kept(times.__getitem__, start, 9, 99.0) for start in range(9)] == [9] * 9


def test_the_first_of_several_that_came_at_the_same_time_is_found() -> None:
    times = [0.0, 1.0, 5.0, 5.0, 5.0, 5.0, 5.0, 9.0]
    assert [first_kept(times.__getitem__, start, 8, 5.0) for start in range(4)] == [2, 2, 2, 3]


def test_a_window_that_was_not_behind_yet_knows_no_age_of_unread_messages() -> None:
    assert Backlog(AckState(CommittedState(), True), Window(9, 99)).ready.oldest_unread is None
