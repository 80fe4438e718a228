"""What only the store in memory does; the rest is in the contract of all stores."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters, QueueStats
from hub.store import CommittedState, Journal, Outgoing, RoutedBatch, Try
from hub.store.memory import DEFAULT_LIMIT, MemoryStore
from tests.unit.doubles import make_queue, message, messages, offer

LETTER = DeadLetter(message(1), "no", 1, 0.0)


def test_a_dead_letter_is_there_at_once() -> None:
    store = MemoryStore()
    store.attach("q", lambda: Journal(letters=[LETTER]))
    store.changed("q")
    assert store.dead_letters("q") == [replace(LETTER, number=1)]


def test_a_batch_is_confirmed_at_once() -> None:
    confirmed: list[bool] = []
    MemoryStore().append(RoutedBatch(messages(1), []), lambda: confirmed.append(True))
    assert confirmed == [True]


def test_what_is_sent_out_is_told_at_once_and_numbered_on() -> None:
    store, told = MemoryStore(), list[tuple[int, int]]()
    outbox = [Outgoing("bus", message(1)), Outgoing("bus", message(2))]
    store.attach("q", lambda: Journal(outbox=outbox))
    store.watch(lambda state, reason: None, lambda first, batch: told.append((first, len(batch))))
    store.changed("q")
    store.changed("q")
    assert told == [(1, 2), (3, 2)]


def test_of_all_else_nothing_is_kept() -> None:
    store = MemoryStore()
    store.attach("q", lambda: Journal(settled=[(0, 3)], tries={4: Try(1)}))
    store.changed("q")
    assert store.open("q") == CommittedState()
    assert store.read("q", 0, 9, 999) == []
    assert not store.durable


def test_what_is_finished_of_a_queue_that_was_deleted_changes_nothing() -> None:
    store = MemoryStore()
    store.attach("q", lambda: Journal(letters=[LETTER]))
    store.delete("q")
    store.changed("q")
    assert store.dead_letters("q") == []


def test_it_keeps_no_more_than_it_can_hold() -> None:
    store = MemoryStore()
    store.attach("q", lambda: Journal(letters=[LETTER] * (DEFAULT_LIMIT + 5)))
    store.changed("q")
    assert (len(store.dead_letters("q")), store.lost_dead_letters("q")) == (DEFAULT_LIMIT, 5)


def test_a_queue_on_it_has_all_in_memory() -> None:
    queue = make_queue(lambda: 0.0)
    offer(queue, messages(20_000))
    taken = queue.take(20_000, timeout=0)
    assert taken is not None
    assert len(taken.messages) == 20_000


def test_a_queue_on_it_notes_nothing_that_nobody_will_ask_for() -> None:
    queue = make_queue(lambda: 0.0)
    offer(queue, messages(9))
    taken = queue.take(9, timeout=0)
    assert taken is not None
    queue.finish(taken, 9)
    assert not queue.take_journal()


def test_nothing_is_pending() -> None:
    assert MemoryStore().pending() == 0


def test_of_a_queue_that_is_not_open_no_numbers_are_kept() -> None:
    assert MemoryStore().stats("q") == QueueStats(Counters(), 0, 0, None)


def test_a_queue_that_is_made_again_was_created_then() -> None:
    clock = Clock()
    store = MemoryStore(wall=clock.seconds)
    store.open("a")
    store.open("b")
    clock.advance(5.0)
    store.delete("a")
    store.open("a")
    assert (store.created_at("a"), store.created_at("b")) == (5.0, 0.0)
