"""What a full queue does."""

from __future__ import annotations

import pytest

from hub.deadletter import DeadLetter
from hub.queue.policy import QueuePolicy
from hub.queue.reader import Reader
from hub.queue.singles import Singles
from tests.unit.desk import Desk
from tests.unit.doubles import letter_of, message, messages


def test_a_full_queue_that_blocks_asks_to_hold_the_bus_back_and_loses_nothing() -> None:
    desk = Desk(QueuePolicy(max_backlog=4, overflow="block"))
    assert not desk.offer(messages(4))
    assert desk.offer(messages(2))
    assert desk.queue.full
    assert desk.queue.stats().counters.backlog == 6


def test_room_is_told_once_when_a_quarter_is_free() -> None:
    desk = Desk(QueuePolicy(max_backlog=4, overflow="block"))
    desk.offer(messages(5))
    desk.finish(1)
    assert (desk.queue.full, desk.room_made) == (True, 0)
    desk.finish(1)
    assert (desk.queue.full, desk.room_made) == (False, 1)
    desk.finish(1)
    assert desk.room_made == 1


@pytest.mark.parametrize("max_backlog", [1, 2, 3])
def test_the_smallest_queue_is_let_go_again(max_backlog: int) -> None:
    desk = Desk(QueuePolicy(max_backlog=max_backlog, max_bytes=1, overflow="block"))
    assert desk.offer(messages(9))
    desk.finish()
    assert (desk.queue.full, desk.room_made) == (False, 1)


def test_a_dead_letter_makes_room_too() -> None:
    desk = Desk(QueuePolicy(max_backlog=1, overflow="block"))
    desk.offer(messages(2))
    for _ in range(2):
        taken = desk.take(1)
        desk.queue.bury(taken, True, letter_of(taken))
    assert desk.room_made == 1


def test_drop_newest_keeps_what_fits_of_a_batch() -> None:
    desk = Desk(QueuePolicy(max_backlog=3, overflow="drop_newest"))
    assert not desk.offer(messages(2))
    assert not desk.offer([message(n) for n in range(10, 14)])
    assert desk.queue.stats().counters.dropped_newest == 3
    assert desk.finish() == ["0", "1", "10"]


def test_drop_newest_counts_bytes_too() -> None:
    desk = Desk(QueuePolicy(max_bytes=10, overflow="drop_newest"))
    desk.offer([message(n, body=b"x" * 4) for n in range(4)])
    assert desk.finish() == ["0", "1"]
    assert desk.queue.stats().counters.dropped_newest == 2


def test_drop_oldest_keeps_the_newest() -> None:
    desk = Desk(QueuePolicy(max_backlog=3, overflow="drop_oldest"))
    desk.offer(messages(2))
    desk.offer([message(n) for n in range(10, 13)])
    assert desk.queue.stats().counters.dropped_oldest == 2
    assert desk.finish() == ["10", "11", "12"]


def test_drop_oldest_spares_what_was_begun() -> None:
    desk = Desk(QueuePolicy(max_backlog=2, overflow="drop_oldest"))
    desk.offer(messages(2))
    taken = desk.take(1)
    desk.queue.retry(taken, delay=5.0, failed=True)
    in_hand = desk.take(1)
    desk.offer([message(7), message(8)])
    assert desk.queue.stats().counters.dropped_oldest == 2
    desk.queue.finish(in_hand, 1)
    desk.clock.advance(5.0)
    assert desk.finish() == ["0"]


def test_drop_oldest_stays_within_the_bytes() -> None:
    desk = Desk(QueuePolicy(max_bytes=10, overflow="drop_oldest"))
    for number in range(4):
        desk.offer([message(number, body=b"x" * 4)])
    assert desk.finish() == ["2", "3"]


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest"])
def test_messages_that_wait_in_a_held_lane_count_by_their_bytes(overflow: str) -> None:
    desk = Desk(QueuePolicy(max_bytes=100, overflow=overflow, key_of=lambda _: None))  # type: ignore[arg-type]
    desk.offer([message(0, body=b"x" * 10)])
    desk.queue.retry(desk.take(1), delay=60.0, failed=True)
    for number in range(1, 100):
        desk.offer([message(number, body=b"x" * 10)])
        assert desk.queue.take(1, timeout=0) is None
    assert desk.queue.stats().counters.backlog == 10


def test_a_refused_message_is_dead_and_no_backlog() -> None:
    desk = Desk()
    desk.offer(messages(1))
    desk.queue.bury_unqueued(DeadLetter(message(9), "no", 0, 0.0))
    counters = desk.queue.stats().counters
    assert (counters.received, counters.dead, counters.backlog) == (2, 1, 1)


def test_what_was_taken_of_a_batch_does_not_make_it_drop_more() -> None:
    """While the store is too large as many go as come, and no more for bytes that are not there any more."""
    desk = Desk(QueuePolicy(max_backlog=None, max_bytes=100, overflow="drop_oldest"))
    desk.offer([message(number, body=b"0123456789") for number in range(10)])
    desk.finish(5)
    desk.queue.over_quota(True)
    desk.offer([message(10, body=b"x" * 50)])
    counters = desk.queue.stats().counters
    assert (counters.dropped_oldest, counters.backlog) == (1, 5)


def test_a_message_that_is_retried_makes_no_room() -> None:
    desk = Desk(QueuePolicy(max_backlog=1, overflow="block"))
    assert desk.offer(messages(2))
    delivery = desk.queue.take(1, timeout=0)
    assert delivery is not None
    desk.queue.retry(delivery, 0.0, failed=True)
    assert (desk.room_made, desk.queue.full) == (0, True)


def test_a_message_that_is_finished_while_it_waits_makes_room_too() -> None:
    desk = Desk(QueuePolicy(max_backlog=4, overflow="block"))
    desk.offer(messages(5))
    reader = Reader(desk.queue, lambda: None, lambda call: call())
    taken = desk.take(2)
    Singles(desk.queue).give_back(Singles(desk.queue).split(taken), delivered=False)
    assert [reader.finish_waiting(position) for position in taken.positions] == [True, True]
    assert (desk.queue.full, desk.room_made) == (False, 1)
