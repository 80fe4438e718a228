"""Where one message of a queue is."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.queue import inspect
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery
from hub.queue.inspect import LONGEST_REASON, MOST_REASONS, SETTLED, numbers, positions_of
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.stats.counters import Counters
from hub.store import CommittedState
from tests.unit.doubles import letter_of, make_queue, message, messages, offer
from tests.unit.store.bench import Bench


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


# -- the age of the oldest message, and the other numbers


def oldest(queue: Queue) -> float | None:
    """The time of receipt is also the number of the message."""
    return queue.stats().oldest_received_at


def test_the_oldest_is_the_first_that_is_not_settled_wherever_it_is() -> None:
    queue = queue_of(6)
    assert oldest(queue) == 0.0
    first, second = take(queue, 2), take(queue, 2)
    assert oldest(queue) == 0.0
    queue.finish(second, 1)
    assert oldest(queue) == 0.0, "the second delivery is not the oldest"
    queue.finish(first, 1)
    assert oldest(queue) == 1.0
    queue.retry(first, 30.0, True)
    assert oldest(queue) == 1.0
    queue.purge()
    queue.finish(second, 2)
    queue.finish(take_after(queue, 30.0), 1)
    assert oldest(queue) is None


def take_after(queue: Queue, seconds: float) -> Delivery:
    """The message that was delayed."""
    queue.clock = lambda: seconds
    return take(queue)


def test_of_a_delivery_the_oldest_is_the_one_that_is_being_consumed() -> None:
    """Those before it are finished, and only not reported yet."""
    queue = queue_of(5)
    first, second = take(queue, 3), take(queue, 2)
    first.at, second.at = 1, 1
    assert oldest(queue) == 1.0
    queue.finish(first, 2)
    assert oldest(queue) == 2.0


def test_the_age_of_one_that_is_being_read_for_a_worker_is_known() -> None:
    acks = AckState(CommittedState(floor=7, counters=Counters(received=9, finished=7)), True)
    reading = Delivery([None, None], [7, 8], since=5.0)  # type: ignore[list-item]
    assert numbers(acks, Backlog(acks, None, 9, 9), [reading]).oldest_received_at == 5.0


def test_the_age_of_what_is_only_in_the_store_is_told_while_there_is_such() -> None:
    acks = AckState(CommittedState(counters=Counters(received=2)), True)
    backlog = Backlog(acks, None, 0, 2)
    backlog.ready.oldest_unread = 3.0
    assert numbers(acks, backlog, []).oldest_received_at == 3.0
    acks.settle(0, 2)
    acks.counters.finished += 2
    assert numbers(acks, backlog, []).oldest_received_at is None


def test_what_is_finished_and_not_reported_counts_as_finished_in_the_numbers_alone() -> None:
    queue = queue_of(7)
    queue.finish(take(queue), 1)
    first, second = take(queue, 3), take(queue, 2)
    first.at, second.at = 2, 1
    stats = queue.stats()
    assert (stats.counters.finished, stats.in_flight, stats.counters.backlog) == (4, 2, 3)
    assert queue.acks.counters.finished == 1


def test_numbers_that_still_hold_are_given_again() -> None:
    """That is cheaper; those with messages in flight change without a sign."""
    clock = Clock()
    queue = queue_of(3, clock)
    last = queue.stats()
    assert queue.stats(last) is last
    taken = take(queue)
    busy = queue.stats(last)
    assert (busy.in_flight, queue.stats(busy) is busy) == (1, False)
    queue.give_back(taken)
    assert queue.stats(busy) == last
    queue.retry(take(queue), 30.0, True)
    delayed = queue.stats(last)
    assert (delayed.delayed, delayed.counters.retried) == (1, 1)
    clock.advance(30.0)
    queue.give_back(take(queue))
    offer(queue, [message(3)])
    assert queue.stats(delayed).counters.received == 4


def test_what_is_only_in_the_store_is_shown_before_later_ones_that_are_in_memory(tmp_path: Path) -> None:
    """One of a high priority is in memory though it came last."""
    bench = Bench(tmp_path, QueuePolicy(None, None, window=Window(16, 1 << 20)))
    queue = bench.queue()
    for number in range(20):
        bench.enqueuer.put(queue, [message(number)], None, None, 9 if number == 19 else 4)
    bench.step()
    assert queue.backlog.ready.unread_span[0] == 16
    for count in (16, 17, 18, 99):
        assert [row[0] for row in queue.inspect.peek(count)] == [*range(20)][:count]
