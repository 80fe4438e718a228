"""When a queue is full, and when it is so no longer; what becomes of messages then is in test_queue_overflow.py."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.overflow import Overflow
from hub.queue.policy import QueuePolicy, Window
from hub.store import CommittedState
from tests.unit.desk import Desk
from tests.unit.doubles import message, messages, size_of

BOUNDED = QueuePolicy(max_backlog=8, max_bytes=None, overflow="block")


class Full:
    """Its parts, without a queue; half of what arrives is unread."""

    def __init__(self, policy: QueuePolicy) -> None:
        self.books = AckState(CommittedState(), True)
        self.waiting = Backlog(self.books, Window(4, 1000))
        self.overflow = Overflow(policy, self.books, self.waiting)

    def arrive(self, count: int) -> None:
        start, batch = self.waiting.ready.next_position, messages(count)
        self.books.counters.received += count
        self.waiting.ready.arrive(start, batch, size_of(batch))
        self.overflow.arrived(count)

    @property
    def dropped(self) -> int:
        return self.books.counters.dropped_oldest

    @property
    def floor(self) -> int:
        return self.books.floor


def test_a_queue_without_bounds_is_never_full() -> None:
    full = Full(QueuePolicy(None, None, overflow="block"))
    full.arrive(10_000)
    assert not full.overflow.over(10**9, 10**12)
    assert not full.overflow.full


@pytest.mark.parametrize(("count", "size", "over"), [(8, 0, False), (9, 0, True), (1, 16, False), (1, 17, True)])
def test_it_is_over_beyond_either_bound(count: int, size: int, over: bool) -> None:
    full = Full(QueuePolicy(max_backlog=8, max_bytes=16))
    assert full.overflow.over(count, size) == over


def test_what_is_unread_counts_too() -> None:
    full = Full(QueuePolicy(max_backlog=None, max_bytes=16))
    full.arrive(3)
    full.arrive(4)
    assert full.waiting.ready.behind
    assert full.overflow.over(0, 3)
    assert not full.overflow.over(0, 2)


def test_the_oldest_are_dropped_among_the_ready_and_the_unread() -> None:
    full = Full(replace(BOUNDED, overflow="drop_oldest"))
    full.arrive(3)
    full.arrive(3)
    full.arrive(6)
    assert (full.dropped, full.floor) == (4, 4)
    assert full.books.counters.backlog == 8


def test_what_was_begun_is_not_dropped() -> None:
    full = Full(replace(BOUNDED, max_backlog=2, overflow="drop_oldest"))
    full.arrive(2)
    full.waiting.take(2, 0.0, with_keys=False)
    full.arrive(3)
    assert (full.dropped, full.floor, full.books.counters.backlog) == (3, 0, 2)


def test_bytes_make_it_drop_too() -> None:
    full = Full(QueuePolicy(max_backlog=None, max_bytes=8, overflow="drop_oldest"))
    for _ in range(3):
        full.arrive(2)
    assert (full.dropped, full.floor) == (2, 2)


@pytest.mark.parametrize("batches", [[400], [300, 100], [100, 300]])
def test_no_more_bytes_are_dropped_than_are_too_many(batches: list[int]) -> None:
    desk = Desk(QueuePolicy(max_backlog=None, max_bytes=600, overflow="drop_oldest"))
    for count in batches:
        desk.offer(messages(count))
    counters = desk.queue.stats().counters
    assert (counters.dropped_oldest, counters.backlog) == (100, 300)


def test_nor_are_more_refused_for_a_batch_that_is_nearly_done() -> None:
    desk = Desk(QueuePolicy(max_backlog=None, max_bytes=10))
    desk.offer(messages(5))
    desk.take(4)
    desk.offer(messages(5))
    assert desk.queue.stats().counters.dropped_newest == 1


@pytest.mark.parametrize("overflow", ["block", "drop_newest"])
def test_a_queue_that_is_squeezed_behaves_as_if_full(overflow: str) -> None:
    full = Full(QueuePolicy(None, None, overflow=overflow))  # type: ignore[arg-type]
    full.overflow.over_quota = True
    kept, size = full.overflow.fitting(messages(3), 6)
    assert (len(kept), size) == ((3, 6) if overflow == "block" else (0, 0))
    full.arrive(len(kept))
    assert full.overflow.full == (overflow == "block")


def test_one_that_drops_the_oldest_drops_as_many_as_arrive_while_it_is_squeezed() -> None:
    full = Full(QueuePolicy(None, None, overflow="drop_oldest"))
    full.arrive(3)
    full.arrive(3)
    full.overflow.over_quota = True
    full.arrive(2)
    assert (full.dropped, full.floor) == (2, 2)
    full.arrive(3)
    assert (full.dropped, full.floor) == (5, 5)


def test_it_is_full_until_a_quarter_is_free() -> None:
    full = Full(BOUNDED)
    full.arrive(9)
    assert full.overflow.full
    full.books.counters.finished = 2
    assert (full.overflow.made_room(), full.overflow.full) == (False, True)
    full.books.counters.finished = 3
    assert (full.overflow.made_room(), full.overflow.full) == (True, False)
    assert not full.overflow.made_room()


def test_room_is_no_room_while_the_store_is_too_large() -> None:
    full = Full(BOUNDED)
    full.arrive(9)
    full.overflow.over_quota = True
    full.books.counters.finished = 9
    assert not full.overflow.made_room()
    full.overflow.over_quota = False
    assert full.overflow.made_room()


# -- by way of a queue: whoever empties it says that there is room


def full_desk(**policy: object) -> Desk:
    desk = Desk(replace(BOUNDED, max_backlog=4, **policy))  # type: ignore[arg-type]
    assert desk.offer([message(n) for n in range(5)])
    return desk


def test_what_expires_makes_room() -> None:
    """Or a bus would be held back for ever by an empty queue."""
    desk = full_desk(max_age=10.0)
    desk.clock.advance(100)
    desk.queue.expire()
    assert desk.queue.stats().counters.dropped_expired == 5
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_what_is_purged_makes_room() -> None:
    desk = full_desk()
    assert desk.queue.purge() == 5
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_a_higher_bound_makes_room() -> None:
    desk = full_desk()
    desk.queue.adopt(replace(BOUNDED, max_backlog=100))
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_a_policy_that_does_not_hold_back_lets_go() -> None:
    desk = full_desk()
    desk.queue.adopt(replace(BOUNDED, max_backlog=4, overflow="drop_newest"))
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_a_store_that_shrinks_makes_room() -> None:
    desk = Desk(QueuePolicy(None, None, overflow="block"))
    desk.queue.over_quota(True)
    assert desk.offer(messages(1))
    assert (desk.queue.full, desk.room_made) == (True, 0)
    desk.queue.over_quota(True)
    assert (desk.queue.full, desk.room_made) == (True, 0)
    desk.queue.over_quota(False)
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_the_size_of_the_store_wakes_nobody() -> None:
    desk = Desk(QueuePolicy(None, None, overflow="block"))
    desk.queue.waiters.wake_all = Mock()  # type: ignore[method-assign]
    for over in (False, False, True, True, False):  # it is told once a second
        desk.queue.over_quota(over)
    assert not desk.queue.waiters.wake_all.called
