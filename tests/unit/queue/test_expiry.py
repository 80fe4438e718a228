"""What has waited longer than ``max_age`` is dropped, wherever it waits, and is given to nobody."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.headers import EXPIRES
from hub.message import Message
from hub.queue.policy import QueuePolicy, Window
from tests.unit.desk import Desk
from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench

POLICY = QueuePolicy(None, None, max_age=10.0)


def expired(desk: Desk | Bench) -> int:
    queue = desk.queue if isinstance(desk, Desk) else desk.queues["q"]
    return queue.stats().counters.dropped_expired


def test_all_that_is_ready_is_dropped_at_once() -> None:
    desk = Desk(POLICY)
    desk.offer([message(0) for _ in range(3000)])
    for _ in range(1500):
        desk.offer([message(0)])
    desk.offer([message(1), message(2)])
    desk.clock.advance(11.5)
    desk.queue.expire()
    assert (expired(desk), desk.take_ids()) == (4501, ["2"])


@pytest.mark.parametrize("lanes", [True, False])
def test_it_is_not_handed_out_though_nobody_has_dropped_it_yet(lanes: bool) -> None:
    desk = Desk(QueuePolicy(key_of=(lambda one: one.topic) if lanes else None, max_age=10.0))
    desk.offer(messages(9))
    desk.clock.advance(15.5)
    assert (desk.take_ids(), expired(desk)) == (["6", "7", "8"], 6)
    stats = desk.queue.stats()
    assert (stats.in_flight, stats.counters.backlog) == (3, 3)


def test_where_nothing_else_is_left_nothing_comes_and_a_bus_is_let_go() -> None:
    desk = Desk(QueuePolicy(2, overflow="block", max_age=10.0))
    assert desk.offer(messages(3))
    desk.clock.advance(15.0)
    assert desk.queue.take(2, timeout=0) is None
    assert (expired(desk), desk.queue.full, desk.room_made) == (3, False, 1)


@pytest.mark.parametrize("lanes", [True, False])
def test_what_was_begun_is_not_too_old(lanes: bool) -> None:
    desk = Desk(QueuePolicy(key_of=(lambda one: one.topic) if lanes else None, max_age=10.0))
    desk.offer([message(0), message(0)])
    desk.queue.retry(desk.take(1), 60.0, failed=True)
    desk.clock.advance(60.0)
    desk.queue.expire()
    again = desk.take(1)
    assert list(again.positions) == [0]
    desk.queue.finish(again, 1)
    assert (desk.queue.take(9, timeout=0), expired(desk)) == (None, 1)


def test_what_a_worker_gave_back_may_be() -> None:
    desk = Desk(POLICY)
    desk.offer(messages(3))
    desk.queue.give_back(desk.take())
    desk.clock.advance(11.5)
    desk.queue.expire()
    assert (expired(desk), desk.take_ids()) == (2, ["2"])


# -- on the disk


def behind(directory: Path, count: int) -> Bench:
    """One message a second, all but four of them unread."""
    bench = Bench(directory, QueuePolicy(None, None, max_age=10.0, window=Window(4, 200)))
    bench.queue()
    for number in range(count):
        bench.deliver([message(1000 + number)])
        bench.clock.advance(1)
        if number % 3 == 0:
            bench.step()
    return bench


def test_what_is_unread_is_dropped_too_also_while_the_queue_is_paused(tmp_path: Path) -> None:
    bench = behind(tmp_path, 60)
    queue = bench.queues["q"]
    queue.pause()
    queue.expire()
    assert expired(bench) == 50
    assert queue.stats().oldest_received_at == 1050.0
    bench.clock.advance(5.0)
    queue.expire()
    assert expired(bench) == 55
    queue.resume()
    assert bench.drain() == [str(number) for number in range(1055, 1060)]


def test_the_disk_is_asked_only_when_something_may_be_too_old(tmp_path: Path) -> None:
    bench = behind(tmp_path, 60)
    bench.queues["q"].expire()
    asked: list[str] = []
    bench.store.hooks = {"read": lambda: asked.append("read")}
    bench.queues["q"].expire()
    assert asked == []
    bench.clock.advance(1.5)
    bench.queues["q"].expire()
    assert asked == ["read"]


def test_all_of_it_may_be(tmp_path: Path) -> None:
    bench = behind(tmp_path, 20)
    bench.clock.advance(100)
    bench.queues["q"].expire()
    stats = bench.queues["q"].stats()
    assert (expired(bench), stats.counters.backlog, stats.oldest_received_at) == (20, 0, None)
    bench.deliver([message(1200)])
    bench.clock.advance(81)
    assert bench.drain() == ["1200"]


# -- messages of other priorities, which all are unread after a restart


def restarted(directory: Path, policy: QueuePolicy, made: Callable[[int], Message]) -> Bench:
    """One message a second, of the priorities 9, 4 and 0 in turn, and a restart. Nobody takes one."""
    bench = Bench(directory, policy)
    queue = bench.queue()
    for number in range(30):
        assert bench.enqueuer.put(queue, [made(number)], None, None, (9, 4, 0)[number % 3]) == set()
        bench.clock.advance(1)
    bench.step()
    bench.restart()
    return bench


def test_each_priority_is_too_old_after_a_restart_without_a_reader(tmp_path: Path) -> None:
    policy = QueuePolicy(None, None, max_age=10.0, window=Window(16, 4000))
    bench = restarted(tmp_path, policy, lambda number: message(1000 + number))
    bench.queues["q"].expire()
    assert expired(bench) == 20
    bench.clock.advance(5.0)
    bench.queues["q"].expire()
    assert expired(bench) == 25
    assert sorted(bench.drain()) == [str(number) for number in range(1025, 1030)]
    assert bench.queues["q"].backlog.total_size == 0


def test_each_priority_has_messages_whose_time_is_over_after_a_restart_without_a_reader(tmp_path: Path) -> None:
    def made(number: int) -> Message:
        return Message(str(number), "q", b"x" * 10, {EXPIRES: 1100.0 + number}, 1000.0)

    bench = restarted(tmp_path, QueuePolicy(None, None, expires=True, window=Window(400, 1 << 20)), made)
    bench.clock.advance(1100.0 + 20 - bench.clock.seconds())
    for _ in range(4):  # each looks at one more priority
        bench.queues["q"].expire()
    assert expired(bench) == 21
    assert sorted(bench.drain()) == [str(number) for number in range(21, 30)]
