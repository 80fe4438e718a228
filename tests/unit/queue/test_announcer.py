"""Whom a queue tells what has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.store import Outgoing
from hub.store.memory import MemoryStore
from tests.unit.doubles import letter_of, make_queue, message, messages, offer


class LateStore(MemoryStore):
    """Commits when the test says so. :param keeps: whether it keeps history."""

    def __init__(self, durable: bool = False, keeps: bool = False) -> None:
        super().__init__()
        self.durable, self.keeps = durable, keeps
        self.waiting: list[Callable[[], object]] = []
        self.at_once: list[bool] = []

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        self.waiting.append(call)
        self.at_once.append(at_once)

    def commit(self) -> None:
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


@pytest.fixture
def store() -> LateStore:
    return LateStore()


@pytest.fixture
def queue(store: LateStore) -> Queue:
    made = make_queue(lambda: 0.0, store=store)
    offer(made, messages(10))
    return made


def finish(queue: Queue, count: int) -> None:
    delivery = queue.take(count, timeout=0)
    assert delivery is not None
    queue.finish(delivery, count)


def test_what_is_settled_is_told_at_once_and_only_while_somebody_watches(queue: Queue, store: LateStore) -> None:
    told: list[Any] = []
    finish(queue, 1)
    assert queue.announcer.watch(0, 10, told.append) == [(1, 10)]
    finish(queue, 2)
    finish(queue, 1)
    assert (told, store.waiting) == ([[(1, 3)], [(3, 4)]], [])
    queue.announcer.unwatch()
    finish(queue, 1)
    assert told == [[(1, 3)], [(3, 4)]]


def watched(store: LateStore) -> tuple[Queue, list[Any]]:
    queue, told = make_queue(lambda: 0.0, store=store), list[Any]()
    offer(queue, messages(10))
    queue.announcer.watch(0, 10, told.append)
    return queue, told


def test_what_is_settled_with_a_letter_or_an_outgoing_message_is_told_once_that_is_stored() -> None:
    store = LateStore(durable=True)
    queue, told = watched(store)
    finish(queue, 1)
    for ends in (bury, publish):
        delivery = queue.take(1, timeout=0)
        assert delivery is not None
        ends(queue, delivery)
    finish(queue, 1)
    assert told == [[(0, 1)], [(3, 4)]]
    store.commit()
    assert told[2:] == [[(1, 2)], [(2, 3)]]
    assert store.at_once == [False, False]


def bury(queue: Queue, delivery: Delivery) -> None:
    queue.bury(delivery, True, letter_of(delivery))


def publish(queue: Queue, delivery: Delivery) -> None:
    queue.finish(delivery, 1, [Outgoing("bus", message(1))])


def test_where_the_store_keeps_messages_all_is_told_once_it_is_stored() -> None:
    store = LateStore(durable=True, keeps=True)
    queue, told = watched(store)
    finish(queue, 2)
    assert told == []
    store.commit()
    assert told == [[(0, 2)]]


def test_what_was_noted_for_one_that_has_gone_is_told_to_nobody() -> None:
    store = LateStore(durable=True)
    queue, told = watched(store)
    delivery = queue.take(1, timeout=0)
    assert delivery is not None
    with queue.lock:
        queue.in_flight.finish(delivery, 1, [Outgoing("bus", message(1))])  # and not announced yet
    queue.announcer.unwatch()
    queue.announcer.watch(1, 10, told.append)
    queue.announce(False, False)
    store.commit()
    assert told == []


def test_a_watcher_that_finds_all_settled_changes_nothing(queue: Queue, store: LateStore) -> None:
    finish(queue, 10)
    assert queue.announcer.watch(0, 10, lambda ranges: None) == []
    offer(queue, messages(1))
    finish(queue, 1)
    assert store.waiting == []


def test_what_was_settled_before_it_was_told_is_not_told_to_one_that_has_gone(queue: Queue, store: LateStore) -> None:
    told: list[Any] = []
    queue.announcer.watch(0, 10, told.append)
    delivery = queue.take(1, timeout=0)
    assert delivery is not None
    with queue.lock:
        queue.in_flight.finish(delivery, 1, ())  # and not announced yet
    queue.announcer.unwatch()
    queue.announcer.watch(1, 10, told.append)
    queue.announce(False, False)
    finish(queue, 1)
    store.commit()
    assert told == [[(1, 2)]]


def test_an_excused_queue_is_waited_for_no_more_until_somebody_has_it_again(queue: Queue, store: LateStore) -> None:
    told: list[Any] = []
    queue.announcer.watch(0, 10, told.append)
    queue.announcer.excuse()
    assert told == []
    store.commit()
    assert (told, store.at_once) == ([[(0, 10)]], [False])
    assert queue.announcer.watch(0, 10, told.append) == []
    queue.announcer.expect()
    assert queue.announcer.watch(0, 10, told.append) == [(0, 10)]


def test_what_comes_for_the_next_one_who_has_it_is_not_excused_by_a_late_commit(queue: Queue, store: LateStore) -> None:
    told: list[Any] = []
    queue.announcer.watch(0, 10, told.append)
    queue.announcer.excuse()
    queue.announcer.expect()
    offer(queue, messages(2))
    assert queue.announcer.watch(10, 12, told.append) == [(10, 12)]
    store.commit()
    assert told == [[(0, 10)]]


def test_one_that_nobody_watches_is_excused_in_silence(queue: Queue, store: LateStore) -> None:
    queue.announcer.excuse()
    assert store.waiting == []


def test_a_queue_that_is_renamed_goes_on_under_its_new_name(
    queue: Queue, store: LateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[object] = []
    monkeypatch.setattr(store, "changed", changed.append)
    told: list[Any] = []
    queue.announcer.watch(0, 10, told.append)
    queue.renamed("other")
    queue.purge()
    store.commit()
    assert (changed, told) == (["other"], [[(0, 10)]])


def test_a_thread_that_finds_the_ranges_taken_by_another_tells_nothing(queue: Queue, store: LateStore) -> None:
    told: list[Any] = []
    queue.announcer.watch(0, 10, told.append)
    finish(queue, 1)
    queue.announcer._tell()
    assert (told, store.waiting) == ([[(0, 1)]], [])


def test_what_was_published_and_sent_is_told_and_nothing_else_is_announced(
    queue: Queue, store: LateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, others = list[Any](), list[object]()
    queue.announcer.watch(0, 10, told.append)
    delivery = queue.take(1, timeout=0)
    assert delivery is not None
    outgoing = Outgoing("bus", message(1))
    queue.finish(delivery, 1, [outgoing])
    assert store.waiting == []
    monkeypatch.setattr(store, "changed", others.append)
    monkeypatch.setattr(queue.announcer, "_on_room", lambda: others.append("room"))
    assert outgoing.sent is not None
    outgoing.sent(True)
    store.commit()
    assert (told, others) == ([[(0, 1)]], [])


def test_one_that_does_not_watch_any_more_is_not_told_of_the_excuse(queue: Queue, store: LateStore) -> None:
    queue.announcer.watch(0, 10, lambda ranges: None)
    queue.announcer.unwatch()
    queue.announcer.excuse()
    assert store.waiting == []
