"""A queue that is paused, drained, or looked into."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from tests.support import wait_until
from tests.unit.desk import Desk
from tests.unit.doubles import Bench, RecordingLog, Scripted, make_queue, message, messages, offer


def test_a_paused_queue_hands_out_nothing_and_takes_in_all() -> None:
    desk = Desk()
    desk.queue.pause()
    desk.offer(messages(3))
    assert desk.queue.take(3, timeout=0) is None
    desk.queue.resume()
    assert desk.take_ids(3) == ["0", "1", "2"]


def test_a_thread_that_waits_goes_on_when_the_pause_is_over() -> None:
    queue = make_queue(lambda: 0.0)
    queue.pause()
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(queue.take(1)), daemon=True)
    thread.start()
    offer(queue, messages(1))
    thread.join(0.05)
    assert got == []
    queue.resume()
    thread.join(10)
    assert len(got) == 1


def test_a_worker_gives_back_what_it_has_not_begun_when_its_queue_is_paused() -> None:
    consumer = Scripted()
    bench = Bench(consumer)

    def work(one: Message) -> None:
        bench.clock.advance(0.1)
        if one.id == "4":
            bench.queue.pause()

    consumer.on_consume = work
    bench.offer(*messages(3))
    bench.worker._limit = 10
    bench.offer(*(message(number) for number in range(3, 8)))
    bench.run()
    assert consumer.seen == ["0", "1", "2", "3", "4"]
    stats = bench.queue.stats()
    assert (stats.counters.finished, stats.in_flight, stats.counters.backlog, stats.delayed) == (5, 0, 3, 0)
    bench.queue.resume()
    bench.run()
    assert consumer.seen == [str(number) for number in range(8)]


@pytest.mark.parametrize("lanes", [True, False])
def test_what_it_gives_back_then_waits_for_no_retry_and_can_be_purged(lanes: bool) -> None:
    desk = Desk(QueuePolicy(key_of=(lambda one: one.topic) if lanes else None))
    desk.offer(messages(5))
    taken = desk.take()
    desk.queue.finish(taken, 2)
    desk.queue.pause()
    desk.queue.give_back(taken)
    assert desk.queue.stats().delayed == 0
    assert [(row[0], row[1]) for row in desk.queue.inspect.peek(9)] == [(2, "waiting"), (3, "waiting"), (4, "waiting")]
    assert desk.queue.purge() == 3
    desk.queue.resume()
    assert (desk.queue.take(9, timeout=0), desk.queue.stats().counters.backlog) == (None, 0)
    desk.offer([message(5)])
    assert desk.take_ids() == ["5"]


@pytest.mark.parametrize("lanes", [True, False])
def test_a_purge_leaves_what_was_begun(lanes: bool) -> None:
    desk = Desk(QueuePolicy(key_of=(lambda one: one.topic) if lanes else None))
    desk.offer(messages(5))
    desk.queue.retry(desk.take(1), 10.0, failed=True)
    assert desk.queue.purge() == 4
    assert desk.queue.stats().delayed == 1
    desk.clock.advance(10.0)
    assert desk.take_ids() == ["0"]


def test_a_drained_queue_takes_nothing_in_and_counts_it() -> None:
    desk = Desk()
    desk.offer(messages(2))
    desk.queue.drain()
    desk.offer([message(2)])
    counters = desk.queue.stats().counters
    assert (counters.received, counters.dropped_drained, counters.dropped, counters.backlog) == (3, 1, 1, 2)
    assert desk.take_ids(5) == ["0", "1"]
    desk.queue.resume()
    desk.offer([message(3)])
    assert desk.take_ids(5) == ["3"]


def test_a_nudge_brings_everybody_back_who_waits() -> None:
    queue = make_queue(lambda: 0.0, store=MemoryStore())
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(queue.take(1)), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: queue.waiters.sleeping == 3)
    queue.nudge()
    for thread in threads:
        thread.join(10)
    assert got == [None, None, None]


# -- peek


def peeked(desk: Desk, count: int = 10) -> list[tuple[int, str, str, int]]:
    return [(position, state, one.id, attempts) for position, state, one, attempts in desk.queue.inspect.peek(count)]


def test_what_is_not_settled_is_shown_with_its_state_the_oldest_first() -> None:
    desk = Desk()
    desk.offer(messages(4))
    desk.queue.finish(desk.take(1), 1)
    desk.queue.retry(desk.take(1), delay=10.0, failed=True)
    desk.take(1)
    assert peeked(desk) == [(1, "retry", "1", 1), (2, "in flight", "2", 0), (3, "waiting", "3", 0)]


def test_a_look_changes_nothing_and_shows_no_more_than_was_asked_for() -> None:
    desk = Desk()
    for batch in (messages(3), [message(3), message(4)]):
        desk.offer(batch)
    assert [row[2] for row in peeked(desk, 4)] == ["0", "1", "2", "3"]
    assert peeked(desk, 1) == [(0, "waiting", "0", 0)]
    assert desk.take_ids(10) == ["0", "1", "2", "3", "4"]


def test_the_oldest_are_shown_whenever_they_were_put_aside() -> None:
    desk = Desk()
    desk.offer(messages(3))
    first, second = desk.take(1), desk.take(1)
    desk.queue.retry(second, delay=10.0, failed=True)
    desk.queue.retry(first, delay=10.0, failed=True)
    assert peeked(desk, 1) == [(0, "retry", "0", 1)]


def test_one_that_is_being_read_for_a_worker_is_in_nobodys_way() -> None:
    desk = Desk()
    desk.offer(messages(2))
    taken = desk.take(1)
    taken.messages = [None]  # type: ignore[list-item]
    assert peeked(desk) == [(1, "waiting", "1", 0)]


def test_what_was_tried_before_a_restart_is_shown_once_and_in_its_place(tmp_path: Path) -> None:
    clock = Clock()
    policy = QueuePolicy(window=Window(4, 1 << 20))

    def begin() -> tuple[DurableStore, Queue]:
        store = DurableStore(tmp_path, RecordingLog(), threaded=False, wall=clock.seconds)
        return store, make_queue(clock.seconds, policy, store)

    store, queue = begin()
    Enqueuer(Router([(["#"], queue)]), store, clock.seconds, lambda: None).receive(messages(8), None)
    last = queue.take(3, timeout=0), queue.take(2, timeout=0), queue.take(3, timeout=0)
    assert last[2] is not None
    queue.retry(last[2], 5.0, failed=True)
    store.close()
    store, queue = begin()
    wanted = [(number, "retry" if number == 5 else "waiting") for number in range(8)]
    assert [(row[0], row[1]) for row in queue.inspect.peek(99)] == wanted
    clock.advance(5.0)
    again = queue.take(1, timeout=0)
    assert again is not None
    assert list(again.positions) == [5]
    assert [(row[0], row[1]) for row in queue.inspect.peek(2)] == wanted[:2]
    assert [(row[0], row[1]) for row in queue.inspect.peek(99)] == [*wanted[:5], (5, "in flight"), *wanted[6:]]
    queue.give_back(again)
    assert [(row[0], row[1]) for row in queue.inspect.peek(99)] == wanted
    store.close()


# -- drain


def test_a_queue_that_takes_nothing_in_holds_no_bus_back() -> None:
    desk = Desk(QueuePolicy(2, overflow="block"))
    desk.queue.pause()
    assert desk.offer(messages(3))
    desk.queue.drain()
    assert not desk.queue.full
    assert desk.room_made == 1
    assert not desk.offer([message(3)])
    desk.queue.over_quota(True)
    assert not desk.offer([message(4)])
    desk.queue.over_quota(False)
    desk.queue.resume()
    assert desk.offer([message(5)])
