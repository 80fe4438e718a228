"""What is sent out, and when; and what becomes of a store that is too large."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from hub.configuration.schema import Configuration, HubSettings
from hub.enqueuer import Enqueuer
from hub.publisher import Publisher
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.store import Outgoing
from hub.store.commit_timer import DELAY
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.stores import Stores, durable_store
from tests.unit.doubles import FakeReactor, RecordingBackend, RecordingLog, message


class StoreOnDisk(MemoryStore):
    """Says what the test wants of its state, and remembers what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.told_sent: list[int] = []
        self.used = self.pending_bytes = self.history_pages = 0
        self.watched: list[tuple[int, Any]] = []
        self.limit: int | None = None
        self.tell: Any = None
        self.changed: Any = None
        self.now = ("ok", "")

    def watch(self, on_state: Any, on_outbox: Any) -> None:
        self.changed, self.tell = on_state, on_outbox

    def condition(self) -> tuple[str, str]:
        return self.now

    def status(self) -> dict[str, Any]:
        return {
            "used_bytes": self.used,
            "pending_bytes": self.pending_bytes,
            "history_pages": self.history_pages,
        }

    def watch_size(self, size: int, call: Any) -> None:
        self.watched.append((size, call))

    def bound(self, size: int | None) -> None:
        self.limit = size

    def sent(self, number: int) -> None:
        self.told_sent.append(number)


class Desk:
    """The stores between a store and a backend."""

    def __init__(self) -> None:
        self.store = StoreOnDisk()
        self.backend = RecordingBackend(None)  # type: ignore[arg-type]
        self.backends: dict[str, Any] = {"bus": self.backend}
        reactor = FakeReactor()
        self.publisher = Publisher(self.backends, reactor, self.store, reactor.seconds)
        none = lambda *_: None  # noqa: E731 - it stands for three callbacks
        self.stores = Stores(self.store, reactor, self.publisher, none, none, none)

    def memory_tells(self, batch: list[Outgoing]) -> None:
        """A queue that is not durable has finished something."""
        memory: Any = self.stores.memory
        memory._on_outgoing(1, batch)


def test_what_the_stores_have_to_send_goes_to_the_publisher() -> None:
    desk = Desk()
    desk.publisher.open()
    desk.store.tell(1, [Outgoing("bus", message(1))])
    desk.memory_tells([Outgoing("bus", message(2))])
    assert [sent.id for sent in desk.backend.published] == ["1", "2"]
    assert desk.store.told_sent == [1]


def test_queues_are_squeezed_until_the_store_is_clearly_smaller_or_may_be_as_large_as_it_likes() -> None:
    desk, orders = Desk(), list[bool]()
    for used, limit in ((100, 100), (101, 100), (95, 100), (89, 100), (101, 100), (101, None), (101, 200)):
        desk.store.used = used
        desk.stores.squeeze(limit, orders.append)
    assert orders == [False, True, True, False, True, False, False]
    assert not desk.stores.squeezed


def test_no_queue_is_squeezed_while_there_is_history_that_can_go() -> None:
    desk, orders = Desk(), list[bool]()
    for desk.store.history_pages in (5, 0, 1):
        desk.store.used = 101
        desk.stores.squeeze(100, orders.append)
    assert (orders, desk.store.limit) == ([False, True, False], 100)


def test_it_looks_again_when_half_of_the_room_may_be_gone_and_counts_what_waits_for_the_disk() -> None:
    desk, orders = Desk(), list[bool]()
    desk.store.used, desk.store.pending_bytes = 200, 40
    desk.stores.squeeze(640, orders.append)
    size, look = desk.store.watched.pop()
    assert (size, orders) == (200, [False])
    desk.store.used, desk.store.pending_bytes = 630, 5
    look()
    size, look = desk.store.watched.pop()
    assert (size, orders) == (10, [False, False]), "a 64th, where half of the room is less"
    desk.store.pending_bytes = 11
    look()
    assert orders == [False, False, True]
    desk.stores.squeeze(None, orders.append)
    assert (desk.store.watched[-1][0], orders[-1]) == (sys.maxsize, False)


def test_a_store_that_tells_no_size_has_room() -> None:
    """The one in memory is such."""
    desk, orders = Desk(), list[bool]()
    desk.store.status = dict  # type: ignore[method-assign]
    desk.stores.squeeze(640, orders.append)
    assert (desk.store.watched[-1][0], orders) == (320, [False])


@pytest.mark.parametrize("body", [0, 100, 2100, 5000])
def test_a_fast_sender_exceeds_the_bound_by_little_between_two_looks(tmp_path: Path, body: int) -> None:
    """Pages of the file are of 4 KiB: a message of 2.1 takes one, which its estimate does not say."""
    store = DurableStore(tmp_path, RecordingLog(), threaded=False)
    none = lambda *_: None  # noqa: E731 - it stands for three callbacks
    reactor = FakeReactor()
    stores = Stores(store, reactor, Publisher({}, reactor, store, reactor.seconds), none, none, none)
    limit = 4 << 20
    queue = Queue("q", QueuePolicy(None, None), store, reactor.seconds, reactor.seconds)
    router = Router([("#", queue)])
    enqueuer = Enqueuer(router, store, reactor.seconds, lambda: None)
    stores.squeeze(limit, queue.over_quota)
    for number in range(60_000):
        enqueuer.receive([message(number, body=b"x" * body)], None)
        if number % 16 == 0:
            assert store.writer.step()
        if stores.squeezed:
            break
    assert store.writer.step()
    used = store.status()["used_bytes"]
    assert limit * 0.9 < used < limit * (1 + 1 / 32)
    received = queue.stats().counters.backlog
    enqueuer.receive([message(number) for number in range(9)], None)
    assert (queue.stats().counters.backlog, queue.stats().counters.dropped_newest) == (received, 9)
    store.close()


def test_the_buses_go_by_what_is_so_and_not_by_what_was_told_last() -> None:
    """Two threads tell, and the later word may be the older one."""
    desk = Desk()
    heard: list[str] = []
    desk.stores._on_full, desk.stores._on_room = heard.append, lambda: heard.append("room")
    desk.store.changed("ok", "")
    desk.store.changed("behind", "the disk does not keep up")
    assert (heard, desk.stores.full) == (["room", "room"], "")
    desk.store.now = ("behind", "the disk does not keep up")
    desk.store.changed("ok", "")
    assert (heard[-1], desk.stores.full) == ("the disk does not keep up", "the disk does not keep up")


def test_a_disk_that_can_not_be_trusted_ends_the_hub() -> None:
    desk = Desk()
    heard: list[str] = []
    desk.stores._on_full, desk.stores._on_room = heard.append, lambda: heard.append("room")
    desk.stores._on_fatal = lambda reason: heard.append(f"fatal: {reason}")
    desk.store.now = ("failed", "no disk")
    desk.store.changed("failed", "no disk")
    assert (heard, desk.stores.full) == (["fatal: no disk"], "")
    desk.store.now = ("full", "28")
    desk.store.changed("full", "28")
    assert (heard[-1], desk.stores.full) == ("the disk is full", "28")


@pytest.mark.parametrize(
    ("sync", "delay", "hurries"), [("commit", DELAY, True), ("interval:7s", 7.0, False), ("none", DELAY, True)]
)
def test_the_store_commits_as_the_configuration_says(tmp_path: Path, sync: str, delay: float, hurries: bool) -> None:
    hub = HubSettings(sync=sync, keep=60.0)
    store = durable_store(Configuration(None, hub, tmp_path, tmp_path / "hub.sock"))
    try:
        assert (store.writer._timer._delay, store.writer._hurries, store.writer._keep) == (delay, hurries, 60.0)
    finally:
        store.close()


@pytest.mark.parametrize(("sync", "waits"), [("commit", True), ("interval:7s", True), ("none", False)])
def test_the_store_is_opened_as_the_configuration_says(
    tmp_path: Path, sync: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[Any, ...]] = []
    monkeypatch.setattr("hub.stores.DurableStore", lambda *given, **options: opened.append((*given, options)))
    durable_store(Configuration(None, HubSettings(sync=sync, map_size=1 << 30), tmp_path, tmp_path / "hub.sock"))
    ((directory, log, options),) = opened
    assert (directory, log.logger.name, log.extra) == (tmp_path, "hubbub.hub.store", {"hub": "store"})
    assert (options["sync"], options["map_size"]) == (waits, 1 << 30)
