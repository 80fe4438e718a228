"""What is sent out, and when; and what becomes of a store that is too large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.publisher import Publisher
from hub.store import Outgoing
from hub.store.memory import MemoryStore
from hub.storekeeper import Storekeeper
from tests.unit.doubles import FakeReactor, RecordingBackend, message


class StoreWithOutbox(MemoryStore):
    """Keeps what is to go out until it is told that it went."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_out: dict[int, Outgoing] = {}
        self.used = self.history_pages = 0
        self.limit: int | None = None
        self.tell: Any = None
        self.changed: Any = None
        self.now = ("ok", "")

    def watch(self, on_state: Any, on_outbox: Any) -> None:
        self.changed, self.tell = on_state, on_outbox

    def condition(self) -> tuple[str, str]:
        return self.now

    def status(self) -> dict[str, Any]:
        return {"used_bytes": self.used, "history_pages": self.history_pages}

    def bound(self, size: int | None) -> None:
        self.limit = size

    def outbox(self) -> Sequence[tuple[int, Outgoing]]:
        return sorted(self.kept_out.items())

    def sent(self, number: int) -> None:
        del self.kept_out[number]

    def commit(self, number: int) -> None:
        """A message to go out, of that number, is on the disk."""
        self.kept_out[number] = Outgoing("bus", message(number))
        self.tell(number, [self.kept_out[number]])


class Desk:
    """A storekeeper between a store and a backend."""

    def __init__(self) -> None:
        self.store = StoreWithOutbox()
        self.backend = RecordingBackend(None)  # type: ignore[arg-type]
        self.backends: dict[str, Any] = {"bus": self.backend}
        reactor = FakeReactor()
        self.publisher = Publisher(self.backends, reactor.callFromThread, reactor.seconds)
        none = lambda *_: None  # noqa: E731 - it stands for three callbacks
        self.keeper = Storekeeper(self.store, reactor, self.publisher, none, none, none)

    @property
    def sent(self) -> list[str]:
        return [sent.id for sent in self.backend.published]


def test_what_was_left_goes_out_first_and_nothing_goes_twice() -> None:
    desk = Desk()
    for number in (1, 2):
        desk.store.commit(number)
    assert desk.sent == []
    desk.keeper.open_outbox()
    desk.store.tell(2, [Outgoing("bus", message(2))])  # it was on its way when the outbox was read
    desk.store.commit(3)
    assert desk.sent == [message(number).id for number in (1, 2, 3)]
    assert desk.store.kept_out == {}


def test_what_comes_while_backends_are_exchanged_goes_to_those_that_come() -> None:
    desk = Desk()
    desk.keeper.open_outbox()
    desk.keeper.hold_outbox()
    del desk.backends["bus"]
    desk.store.commit(1)
    desk.backends["bus"] = desk.backend
    desk.publisher.publish("a.b", b"of no message", {}, None)
    assert desk.sent == []
    desk.keeper.open_outbox()
    desk.store.commit(2)
    assert len(desk.sent) == 3
    assert (desk.publisher.counters.published, desk.publisher.counters.failed) == (3, 0)


def test_what_comes_after_the_end_stays_in_the_store() -> None:
    desk = Desk()
    desk.keeper.open_outbox()
    desk.keeper.close_outbox()
    desk.store.commit(1)
    assert (desk.sent, list(desk.store.kept_out)) == ([], [1])


def test_queues_are_squeezed_until_the_store_is_clearly_smaller_or_may_be_as_large_as_it_likes() -> None:
    desk, orders = Desk(), list[bool]()
    for used, limit in ((100, 100), (101, 100), (95, 100), (89, 100), (101, 100), (101, None), (101, 200)):
        desk.store.used = used
        desk.keeper.squeeze(limit, orders.append)
    assert orders == [False, True, True, False, True, False, False]
    assert not desk.keeper.squeezed


def test_no_queue_is_squeezed_while_there_is_history_that_can_go() -> None:
    desk, orders = Desk(), list[bool]()
    for desk.store.history_pages in (5, 0, 1):
        desk.store.used = 101
        desk.keeper.squeeze(100, orders.append)
    assert (orders, desk.store.limit) == ([False, True, False], 100)


def test_the_buses_go_by_what_is_so_and_not_by_what_was_told_last() -> None:
    """Two threads tell, and the later word may be the older one."""
    desk = Desk()
    heard: list[str] = []
    desk.keeper._on_full, desk.keeper._on_room = heard.append, lambda: heard.append("room")
    desk.store.changed("ok", "")
    desk.store.changed("behind", "the disk does not keep up")
    assert (heard, desk.keeper.full) == (["room", "room"], "")
    desk.store.now = ("behind", "the disk does not keep up")
    desk.store.changed("ok", "")
    assert (heard[-1], desk.keeper.full) == ("the disk does not keep up", "the disk does not keep up")
