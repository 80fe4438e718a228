"""What a reader has set aside waits, is seen, and may be dropped; the order is in test_priorities_model.py."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.queue.singles import Singles
from tests.unit.doubles import make_queue, messages, offer


def with_aside(policy: QueuePolicy, count: int, tried: int = 0) -> tuple[Clock, Queue, Singles, list[Delivery]]:
    """A queue whose first messages are set aside, the first ``tried`` of them after an attempt."""
    clock = Clock()
    queue = make_queue(clock.seconds, policy)
    offer(queue, [Message(str(n), "q", b"x" * 100, {}, clock.seconds()) for n in range(count)])
    singles = Singles(queue)
    taken = queue.take(count, timeout=0)
    assert taken is not None
    deliveries = singles.split(taken)
    singles.set_aside(deliveries[:tried], delivered=True)
    singles.set_aside(deliveries[tried:], delivered=False)
    return clock, queue, singles, deliveries


def test_they_wait_and_are_not_taken_and_count_as_they_did() -> None:
    _, queue, singles, deliveries = with_aside(QueuePolicy(), 3)
    assert queue.take(9, timeout=0) is None
    stats = queue.stats()
    assert (stats.counters.backlog, stats.in_flight, queue.backlog.size, stats.oldest_received_at) == (3, 0, 300, 0.0)
    assert [len(positions) for positions, _ in queue.inspect.in_memory() if positions] == [1, 1, 1]
    assert singles.reclaim(deliveries[1:]) == deliveries[1:]
    singles.finish(deliveries[1:])
    assert (queue.stats().counters.backlog, queue.backlog.size) == (1, 100)


def test_a_purge_drops_those_that_were_never_tried() -> None:
    _, queue, singles, deliveries = with_aside(QueuePolicy(), 4, tried=1)
    assert [(state, attempts) for _, state, _, attempts in queue.inspect.peek(9)] == [
        ("retry", 1),
        *[("waiting", 0)] * 3,
    ]
    assert (queue.inspect.state_of(0).attempts, queue.inspect.state_of(1).kind) == (1, "waiting")
    assert queue.purge() == 3
    assert singles.reclaim(deliveries) == deliveries[:1]


def test_a_full_queue_that_drops_the_oldest_drops_them_first() -> None:
    _, queue, singles, deliveries = with_aside(QueuePolicy(4, overflow="drop_oldest"), 4, tried=1)
    offer(queue, messages(2))
    assert singles.reclaim(deliveries) == [deliveries[0], deliveries[3]]
    assert queue.stats().counters.dropped_oldest == 2


def test_those_that_are_too_old_expire() -> None:
    clock, queue, singles, deliveries = with_aside(QueuePolicy(max_age=5.0), 3, tried=1)
    clock.advance(6.0)
    queue.expire()
    assert singles.reclaim(deliveries) == deliveries[:1]
    assert queue.stats().counters.dropped_expired == 2


def test_the_first_untried_one_is_known_whatever_was_tried_before_it() -> None:
    _, queue, singles, deliveries = with_aside(QueuePolicy(), 5, tried=2)
    aside = queue.backlog.aside
    assert aside.first_untried is deliveries[2]
    assert singles.reclaim(deliveries[2:3]) == deliveries[2:3]
    assert aside.first_untried is deliveries[3]
    singles.set_aside(deliveries[2:3], delivered=True)
    assert aside.first_untried is deliveries[3]
    assert (queue.purge(), [*aside], bool(queue.overflow.oldest)) == (2, deliveries[:3], False)


def test_as_many_are_dropped_at_once_as_have_the_bytes() -> None:
    _, queue, singles, deliveries = with_aside(QueuePolicy(), 6, tried=1)
    assert queue.overflow.oldest.drop(0, 250) == 3
    assert queue.overflow.oldest.drop(1, 0) == 1
    assert singles.reclaim(deliveries) == [deliveries[0], deliveries[5]]
