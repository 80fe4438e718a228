"""From a backend's batch to the queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.duplicates import Duplicates
from hub.enqueuer import PAGE_BYTES, Enqueuer
from hub.interfaces import Receipt
from hub.message import DEFAULT_PRIORITY, Message
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.store import RoutedBatch
from hub.store.durable import DurableStore
from hub.store.interface import Store
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingLog, message, messages, size_of


class RecordingQueue(Queue):
    """Keeps the very lists that it is offered."""

    def __init__(self, name: str, store: Store, max_backlog: int = 1000) -> None:
        super().__init__(name, QueuePolicy(max_backlog, overflow="block"), store, lambda: 0.0, lambda: 0.0)
        self.offers: list[tuple[Sequence[Message], int]] = []

    def offer(self, start: int, messages: Sequence[Message], size: int, priority: int = DEFAULT_PRIORITY) -> bool:
        self.offers.append((messages, size))
        return super().offer(start, messages, size, priority)

    @property
    def ids(self) -> list[str]:
        return [one.id for batch, _ in self.offers for one in batch]


class RecordingStore(MemoryStore):
    """Keeps the batches."""

    durable = True

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[RoutedBatch] = []

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> bool:
        self.batches.append(batch)
        return super().append(batch, stored)


class Desk:
    """An enqueuer with three queues: all, those of x, those of x.y only."""

    def __init__(self, max_backlog: int = 1000) -> None:
        self.store = RecordingStore()
        self.all, self.x, self.xy = (RecordingQueue(name, self.store, max_backlog) for name in ("all", "x", "xy"))
        self.held_back = 0
        router: Router[Queue] = Router([(["a", "x.#"], self.all), (["x.#"], self.x), (["x.y"], self.xy)])
        self.enqueuer = Enqueuer(router, self.store, lambda: 99.0, self.hold_back)

    def hold_back(self) -> None:
        self.held_back += 1

    def receive(self, batch: list[Message]) -> None:
        self.enqueuer.receive(batch, lambda: None)


def test_a_batch_that_all_want_is_the_same_list_for_all() -> None:
    desk, batch = Desk(), messages(3, "x.y")
    desk.receive(batch)
    for queue in (desk.all, desk.x, desk.xy):
        ((offered, size),) = queue.offers
        assert offered is batch
        assert size == size_of(batch)
    assert desk.store.batches[0].messages is batch
    assert all(share.messages is batch and share.indexes is None for share in desk.store.batches[0].shares)


def test_different_topics_with_the_same_queues_share_the_list_too() -> None:
    desk = Desk()
    batch = [message(0, "x.a"), message(1, "x.b")]
    desk.receive(batch)
    assert desk.x.offers[0][0] is batch


def test_each_queue_gets_its_share_in_order() -> None:
    desk = Desk()
    desk.receive([message(n, topic) for n, topic in enumerate(["x.y", "a", "x.z", "nobody's", "x.y"])])
    assert (desk.all.ids, desk.x.ids, desk.xy.ids) == (["0", "1", "2", "4"], ["0", "2", "4"], ["0", "4"])
    assert desk.enqueuer.counters.unrouted == 1


@given(st.lists(st.lists(st.sampled_from(["x.y", "x.z", "a", "none"]), max_size=8), max_size=6))
def test_every_queue_gets_exactly_what_it_wants_in_order(batches: list[list[str]]) -> None:
    desk, number = Desk(), 0
    sent: list[Message] = []
    for topics in batches:
        batch = [message(number + i, topic, body=b"x" * i) for i, topic in enumerate(topics)]
        number += len(batch)
        sent += batch
        desk.receive(batch)
    assert desk.all.ids == [m.id for m in sent if m.topic != "none"]
    assert desk.x.ids == [m.id for m in sent if m.topic.startswith("x")]
    assert desk.xy.ids == [m.id for m in sent if m.topic == "x.y"]
    assert all(size == size_of(batch) for queue in (desk.all, desk.x, desk.xy) for batch, size in queue.offers)
    assert desk.enqueuer.counters.unrouted == sum(m.topic == "none" for m in sent)
    assert desk.enqueuer.counters.received == len(sent)
    assert desk.enqueuer.counters.received_bytes == size_of(sent)


def test_nothing_that_nobody_wants_is_lost_uncounted() -> None:
    desk = Desk()
    desk.receive(messages(4, "nobody's"))
    assert desk.enqueuer.counters.unrouted == 4


def test_an_empty_batch_is_nothing() -> None:
    desk = Desk()
    desk.enqueuer.receive([], None)
    assert desk.store.batches == []


def test_every_queue_is_offered_its_share_even_if_the_first_is_full() -> None:
    desk = Desk(max_backlog=1)
    desk.receive(messages(2, "x.y"))
    assert [len(queue.ids) for queue in (desk.all, desk.x, desk.xy)] == [2, 2, 2]
    assert desk.held_back == 1


def test_the_buses_are_not_held_back_while_there_is_room() -> None:
    desk = Desk()
    desk.receive(messages(2, "x.y"))
    assert desk.held_back == 0


def test_a_tap_sees_every_batch_also_what_nobody_wants() -> None:
    desk = Desk()
    seen: list[Sequence[Message]] = []
    desk.enqueuer.subscriptions.add(["#"], seen.append)
    desk.receive(messages(1, "nobody's"))
    assert seen == [messages(1, "nobody's")]


def test_a_refused_message_is_kept_apart_and_no_queue_hears_of_it() -> None:
    desk = Desk()
    desk.enqueuer.refuse(message(7, "x.z"), "not JSON")
    assert desk.enqueuer.counters.refused == 1
    (letter,) = desk.store.dead_letters("refused by bus")
    assert (letter.message.id, letter.reason, letter.attempts, letter.buried_at) == ("7", "not JSON", 0, 99.0)
    for queue in (desk.all, desk.x):
        assert desk.store.dead_letters(queue.name) == []
        assert (queue.stats().counters.received, queue.stats().counters.dead) == (0, 0)
        assert queue.take(1, timeout=0) is None


@pytest.mark.parametrize("topic", ["a", "x.q"])
def test_a_router_that_was_swapped_holds_from_the_next_batch_on(topic: str) -> None:
    desk = Desk()
    desk.receive([message(0, topic)])
    desk.enqueuer.router = Router([(["#"], desk.xy)])
    desk.receive([message(1, topic)])
    assert (desk.all.ids, desk.xy.ids) == (["0"], ["1"])


def test_a_batch_that_is_large_is_received_in_halves_and_confirmed_once_for_all() -> None:
    desk, told = Desk(), []
    batch = [message(number, "x.y", body=b"x" * (PAGE_BYTES // 3)) for number in range(8)]
    desk.enqueuer.receive(batch, lambda: told.append(len(desk.store.batches)))
    wanted = [str(number) for number in range(8)]
    assert desk.all.ids == desk.x.ids == desk.xy.ids == wanted
    assert [one.id for stored in desk.store.batches for one in stored.messages] == wanted
    assert told == [len(desk.store.batches)]
    assert len(told) == 1
    assert desk.enqueuer.counters.received == 8


class Careful(RecordingStore):
    """A hub that was killed lately, for a while."""

    careful = True

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> bool:
        super().append(batch, stored)
        return self.careful


def test_while_the_store_is_careful_a_sender_hears_of_the_commit_before_a_worker_has_the_message() -> None:
    store, later = Careful(), list[Callable[[], None]]()
    queue = RecordingQueue("all", store)
    enqueuer = Enqueuer(Router([(["#"], queue)]), store, lambda: 0.0, lambda: None, None, later.append)
    told: list[int] = []
    enqueuer.receive([message(0)], lambda: told.append(len(queue.ids)))
    assert (told, queue.ids) == ([0], [])
    store.careful = False
    enqueuer.receive([message(1)], lambda: None)
    assert queue.ids == [], "it must not pass the one that is not offered yet"
    for offer_late in later:
        offer_late()
    assert queue.ids == ["0", "1"]
    enqueuer.receive([message(2)], lambda: None)
    assert queue.ids == ["0", "1", "2"]


# -- what whoever hands over a batch is told


def dropping(limit: int) -> Desk:
    """With queues that take no more than so many."""
    desk = Desk()
    for queue in (desk.all, desk.x, desk.xy):
        queue.adopt(QueuePolicy(limit, overflow="drop_newest"))
    return desk


def test_whoever_hands_over_is_told_what_a_full_queue_did_not_take() -> None:
    desk = dropping(3)
    receipt = desk.enqueuer.receive([message(n, "a" if n % 2 else "x.y") for n in range(8)], None)
    assert desk.all.ids == ["0", "1", "2"]
    assert desk.xy.ids == ["0", "2", "4"]
    assert (receipt.count, receipt.full, receipt.accepted) == (8, [3, 4, 5, 6, 7], 3)


def test_a_full_queues_part_of_a_batch_is_stored_too(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, RecordingLog())
    queue = RecordingQueue("all", store)
    queue.adopt(QueuePolicy(3, overflow="drop_newest"))
    Enqueuer(Router([(["#"], queue)]), store, lambda: 0.0, lambda: None).receive(messages(5), None)
    assert store.flush(10)
    (run,) = store.read("all", 0, 10, 1 << 20)
    assert [found.id for found in run.messages] == ["0", "1", "2"]
    store.close()


def test_what_was_not_taken_of_a_large_batch_is_told_by_its_place_in_the_whole() -> None:
    desk = dropping(5)
    receipt = desk.enqueuer.receive([message(n, "a", body=b"x" * (PAGE_BYTES // 3)) for n in range(8)], None)
    assert receipt.full == [5, 6, 7]


def test_duplicates_are_told_and_the_others_by_their_own_places() -> None:
    desk = dropping(2)
    desk.enqueuer.duplicates = Duplicates(60.0, lambda: 0.0)
    batch = [message(number, "a") for number in (0, 0, 1, 1, 2)]
    receipt = desk.enqueuer.receive(batch, None)
    assert (receipt.duplicates, receipt.full, receipt.accepted) == ([1, 3], [4], 2)
    assert desk.enqueuer.receive([message(0, "a")], None) == Receipt(1, [0])


def test_one_that_is_to_be_buried_is_a_dead_letter_of_each_queue_that_wants_it() -> None:
    desk = Desk()
    desk.enqueuer.bury(message(1, "x.z"), "no signature")
    assert [len(desk.store.dead_letters(name)) for name in ("all", "x", "xy")] == [1, 1, 0]
    (letter,) = desk.store.dead_letters("x")
    assert (letter.message.id, letter.reason, letter.buried_at) == ("1", "no signature", 99.0)
    desk.enqueuer.bury(message(2, "nobody's"), "no signature")
    assert desk.enqueuer.counters.refused == 1
