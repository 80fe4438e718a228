"""The levels together. One alone is in test_priority_level.py, a queue with levels in test_priorities_model.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hub.message import Message
from hub.queue.ack_state import AckState
from hub.queue.levels import Levels
from hub.queue.policy import QueuePolicy, Window
from hub.queue.schedule import Schedule, rank
from hub.store import CommittedState, Run
from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench


def made(count: int = 16) -> tuple[AckState, Levels]:
    acks = AckState(CommittedState(), True)
    return acks, Levels(acks, Schedule(), Window(count, 1 << 20))


def run(start: int, batch: Sequence[Message]) -> Run:
    return Run(start, batch, sum([len(one.body) for one in batch]), len(batch))


def test_the_highest_that_has_messages_is_next() -> None:
    _, levels = made()
    assert (levels.highest(), levels.used) == (None, False)
    levels.of(2).arrive(0, messages(1), 10)
    levels.of(7).arrive(1, messages(1), 10)
    found = levels.highest()
    assert found is not None
    assert (found.priority, [level.priority for level in levels], levels.size) == (7, [2, 7], 20)
    found.batches.take(1)
    assert levels.highest() is levels.of(2)


def test_what_does_not_fit_is_read_later_in_its_order() -> None:
    acks, levels = made()
    level = levels.of(9)
    for start in range(0, 10, 2):
        level.arrive(start, messages(2), 20)
    assert (len(level.batches), list(level.unread), levels.first_unread, level.unread_size) == (2, [(2, 10)], 2, 80)
    assert level.wanted() == 0
    level.batches.take(2)
    acks.settle(3, 4)
    assert level.wanted() == 2
    assert level.fill(2, 4, [run(2, messages(4))]) == 4
    assert (level.batches.first(9)[0], list(level.unread)) == ([2], [(4, 10)])


@pytest.mark.parametrize("runs", [[], [run(8, messages(2))], [Run(4, (), 0, 2, "damaged")]])
def test_what_can_not_be_read_is_counted_and_not_asked_for_again(runs: list[Run]) -> None:
    acks, levels = made()
    level = levels.of(0)
    level.arrive(0, messages(3), 30)
    level.arrive(4, messages(2), 20)
    level.unread.drop_below(4)
    assert level.fill(4, 6, runs) == 6
    assert (acks.counters.dropped_damaged, list(level.unread), level.unread_size) == (2, [], 0)


def test_the_oldest_unread_message_of_all_levels_is_known() -> None:
    _, levels = made(8)
    assert (levels.oldest_unread(), levels.first_unread, levels.unread_size) == (None, None, 0)
    levels.of(9).arrive(3, [message(3), message(4)], 4)
    levels.of(2).arrive(5, [message(5), message(6)], 6)
    assert (levels.oldest_unread(), levels.first_unread, levels.unread_size) == (3.0, 3, 10)
    levels.of(9).take_below(5)
    assert (levels.oldest_unread(), levels.first_unread, levels.unread_size) == (5.0, 5, 6)


def test_a_rank_is_by_priority_then_by_position() -> None:
    rows = [(position, priority) for priority in (9, 4, 0) for position in (0, 1, 1 << 40)]
    assert sorted({*rows}, key=lambda row: rank(*row)) == rows
    assert rank(5, 4) == 5


@pytest.mark.parametrize("priorities", [(9,), (9, 0), (4, 9), (9, 4), (4,)])
def test_a_restart_knows_the_bytes_of_each_priority(tmp_path: Path, priorities: tuple[int, ...]) -> None:
    policy = QueuePolicy(None, 1000, overflow="drop_newest", window=Window(8, 1 << 20))
    bench = Bench(tmp_path, policy)
    queue = bench.queue()
    batch = [Message(str(number), "q", b"x" * 100, {}, 1000.0) for number in range(10)]
    for number in range(0, 10, 2):
        priority = priorities[number // 2 % len(priorities)]
        assert bench.enqueuer.put(queue, batch[number : number + 2], None, None, priority) == set()
    bench.step()
    bench.restart()
    queue = bench.queues["q"]
    assert (queue.backlog.total_size, queue.take_journal().unread_bytes) == (1000, 1000)
    assert len(queue.admit(messages(1), 10)[1]) == 0
    assert (len(bench.drain()), queue.backlog.total_size) == (10, 0)
    assert len(queue.admit(messages(1), 10)[1]) == 1


@pytest.mark.parametrize("window", [Window(16, 4000), Window(4000, 1 << 20)])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_purge_settles_all_priorities_together(tmp_path: Path, window: Window, restarts: bool) -> None:
    bench = Bench(tmp_path, QueuePolicy(None, None, window=window))
    queue = bench.queue()
    for number in range(90):
        assert bench.enqueuer.put(queue, messages(1), None, None, (9, 4, 0)[number % 3]) == set()
    bench.step()
    if restarts:
        bench.restart()
    queue = bench.queues["q"]
    in_flight = queue.take(1, timeout=0)
    while in_flight is None:  # some were read first
        in_flight = queue.take(1, timeout=0)
    assert in_flight.position == 0
    assert queue.purge() == 89
    assert queue.acks.journal.settled == [(1, 90)]
    queue.finish(in_flight, 1)
    assert (queue.acks.floor, queue.backlog.total_size, bench.drain()) == (90, 0, [])
    bench.step()
    bench.restart()
    assert (bench.received(), bench.drain()) == ((90, 90, 0), [])


def test_a_purge_after_the_highest_were_finished_settles_the_others(tmp_path: Path) -> None:
    bench = Bench(tmp_path, QueuePolicy(None, None, window=Window(16, 4000)))
    queue = bench.queue()
    for number in range(90):
        assert bench.enqueuer.put(queue, messages(1), None, None, (9, 4, 0)[number % 3]) == set()
    for _ in range(30):
        taken = bench.take(1)
        assert taken.priority == 9
        queue.finish(taken, 1)
    assert (queue.purge(), queue.acks.floor, queue.stats().counters.backlog) == (60, 90, 0)
