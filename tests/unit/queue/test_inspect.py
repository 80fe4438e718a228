"""Where one message of a queue is."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from hub.queue import inspect
from hub.queue.delivery import Delivery
from hub.queue.inspect import LONGEST_REASON, MOST_REASONS, SETTLED, positions_of
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from tests.unit.doubles import letter_of, make_queue, message, messages, offer


def queue_of(count: int, clock: Clock | None = None, policy: QueuePolicy | None = None) -> Queue:
    queue = make_queue((clock or Clock()).seconds, policy)
    offer(queue, messages(count))
    return queue


def take(queue: Queue, limit: int = 1) -> Delivery:
    taken = queue.take(limit, timeout=0)
    assert taken is not None
    return taken


def kinds(queue: Queue, count: int) -> list[str]:
    return [queue.inspect.state_of(position).kind for position in range(count)]


def test_what_waits_knows_how_many_are_before_it() -> None:
    queue = queue_of(5)
    taken = take(queue)
    queue.finish(taken, 1)
    assert [queue.inspect.state_of(position).before for position in range(5)] == [None, 0, 1, 2, 3]
    assert queue.inspect.state_of(0) is SETTLED


def test_what_is_in_hand_knows_with_what() -> None:
    queue = queue_of(5)
    taken = take(queue, 3)
    taken.at = 1
    assert kinds(queue, 5) == ["settled", "in flight", "in flight", "waiting", "waiting"]
    assert (queue.inspect.state_of(2).delivery, queue.inspect.state_of(2).at) == (taken, 2)


def test_a_retry_knows_its_attempts_its_time_and_its_reason() -> None:
    clock = Clock()
    queue = queue_of(3, clock)
    queue.retry(take(queue), 30.0, True, "KeyError: 'x'")
    found = queue.inspect.state_of(0)
    assert (found.kind, found.attempts, found.due, queue.inspect.why(0)) == ("retry", 1, 30.0, "KeyError: 'x'")
    clock.advance(31)
    assert (queue.inspect.state_of(0).kind, queue.inspect.state_of(0).attempts) == ("waiting", 1)
    taken = take(queue)
    assert (taken.positions[0], queue.inspect.state_of(0).kind, queue.inspect.state_of(0).attempts) == (
        0,
        "in flight",
        1,
    )


def test_in_a_lane_too() -> None:
    queue = queue_of(3, policy=QueuePolicy(key_of=lambda one: one.topic))
    queue.retry(take(queue), 30.0, True)
    assert kinds(queue, 3) == ["retry", "waiting", "waiting"]
    assert queue.inspect.state_of(0).due == 30.0


def test_a_dead_letter_is_settled() -> None:
    queue = queue_of(2)
    taken = take(queue)
    queue.bury(taken, True, letter_of(taken))
    assert kinds(queue, 2) == ["settled", "waiting"]


def test_what_lies_too_scattered_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = queue_of(100)
    hands = [take(queue) for _ in range(100)]
    for taken in hands[::2]:
        queue.finish(taken, 1)
    assert queue.inspect.state_of(99).before == 49
    monkeypatch.setattr(inspect, "MOST_RANGES", 10)
    assert queue.inspect.state_of(99).before is None


def test_only_the_last_reasons_are_kept_and_of_each_only_the_beginning() -> None:
    queue = queue_of(MOST_REASONS + 2)
    for _ in range(MOST_REASONS + 2):
        queue.retry(take(queue), 30.0, True, "x" * 10_000)
    assert [len(queue.inspect.why(position)) for position in (0, 1, 2)] == [0, 0, LONGEST_REASON]
    assert len(queue.inspect._reasons) == MOST_REASONS
    queue.inspect.note(2, "again")
    queue.inspect.note(MOST_REASONS + 2, "a new one")
    assert queue.inspect.why(2) == "again"


def test_all_that_is_in_memory_is_found() -> None:
    queue = make_queue(Clock().seconds)
    offer(queue, [message(number) for number in (7, 1, 7)])
    offer(queue, [message(7)])
    queue.retry(take(queue), 30.0, True)
    take(queue)
    steps = list(positions_of("7", queue.inspect.in_memory(), 2))
    assert sorted({(position, found.id) for step in steps for position, found in step}) == [
        (0, "7"),
        (2, "7"),
        (3, "7"),
    ]
    assert len(steps) > 2


def test_a_retry_knows_how_many_are_before_it() -> None:
    clock = Clock()
    queue = queue_of(4, clock)
    hands = [take(queue) for _ in range(3)]
    queue.retry(hands[2], 30.0, True)
    assert (queue.inspect.state_of(2).kind, queue.inspect.state_of(2).before) == ("retry", 2)
    queue.finish(hands[0], 1)
    clock.advance(30.0)
    assert (queue.inspect.state_of(2).kind, queue.inspect.state_of(2).before) == ("waiting", 1)
