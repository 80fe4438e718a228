"""Messages that go out."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hub import current_message
from hub.backends.memory import Memory
from hub.backoff import FIRST_DELAY
from hub.errors import CannotPublish
from hub.message import Message
from hub.publisher import Publisher
from hub.settings import Settings
from hub.store import OutboxPortion, Outgoing
from hub.store.memory import MemoryStore
from tests.unit.backends.support import Recorder, hub_context
from tests.unit.doubles import FakeReactor, RecordingBackend, message, most


class Refusing(RecordingBackend):
    def publish(self, message: Message) -> None:
        raise CannotPublish("it has no address to publish to")


def backend(cls: type[RecordingBackend] = RecordingBackend) -> RecordingBackend:
    return cls(None)  # type: ignore[arg-type]


def publisher(**backends: Any) -> Publisher:
    made = made_of(backends)
    made.open()
    return made


def made_of(backends: dict[str, Any], reactor: Any = None) -> Publisher:
    return Publisher(backends, reactor or FakeReactor(), MemoryStore(), lambda: 7.0)


def counts(made: Publisher) -> tuple[int, int]:
    """Messages that were sent, and that were given up."""
    return made.status()["published"], made.status()["publish_failed"]


@pytest.mark.parametrize(
    ("body", "raw"),
    [(b"\xff", b"\xff"), ("é", "é".encode()), ({"a": [1, None]}, b'{"a":[1,null]}'), (None, b"null"), (3, b"3")],
)
def test_bytes_and_text_go_out_as_they_are_and_the_rest_as_json(body: object, raw: bytes) -> None:
    bus = backend()
    publisher(bus=bus).publish("a.b", body, {"h": "v"}, None)
    (sent,) = bus.published
    assert (sent.topic, sent.body, sent.headers, sent.received_at) == ("a.b", raw, {"h": "v"}, 7.0)


def test_every_message_has_an_id_of_its_own() -> None:
    bus = backend()
    for _ in range(3):
        publisher(bus=bus).publish("a", "x", {}, "bus")
    assert len({sent.id for sent in bus.published}) == 3


def test_it_is_sent_by_the_reactor_and_not_by_the_caller() -> None:
    bus, reactor, later = backend(), FakeReactor(), list[Any]()
    made = made_of({"bus": bus}, reactor)
    made.open()
    reactor.callFromThread = lambda *call: later.append(call)  # type: ignore[method-assign]
    made.publish("a", "x", {}, None)
    assert bus.published == []
    ((call, batch),) = later
    call(batch)
    assert (len(bus.published), counts(made)) == (1, (1, 0))


def test_headers_that_are_changed_afterwards_go_out_as_they_were() -> None:
    bus, headers = backend(), {"h": "v"}
    made = publisher(bus=bus)
    made.publish("a", "x", headers, None)
    headers["h"] = "w"
    assert bus.published[0].headers == {"h": "v"}


@pytest.mark.parametrize("topic", ["", "a\nb", "a\0", "x" * 1025])
def test_a_bad_topic_is_told_to_the_caller(topic: str) -> None:
    with pytest.raises(ValueError, match="topic"):
        publisher(bus=backend()).publish(topic, "x", {}, None)


def test_a_body_that_can_not_be_encoded_is_told_to_the_caller() -> None:
    with pytest.raises(TypeError):
        publisher(bus=backend()).publish("a", object(), {}, None)


def test_the_backend_must_be_named_where_there_are_more() -> None:
    one, two = backend(), backend()
    made = publisher(one=one, two=two)
    with pytest.raises(CannotPublish, match="one, two"):
        made.publish("a", "x", {}, None)
    made.publish("a", "x", {}, "two")
    assert (len(one.published), len(two.published)) == (0, 1)


def test_a_backend_that_is_not_there_is_told_to_the_caller() -> None:
    with pytest.raises(CannotPublish, match=r"no backend is called 'bsu': there are bus"):
        publisher(bus=backend()).publish("a", "x", {}, "bsu")
    with pytest.raises(CannotPublish, match="none"):
        publisher().publish("a", "x", {}, None)


def test_what_fails_in_the_reactor_is_counted_and_stops_nothing() -> None:
    made = publisher(bus=backend(Refusing))
    made.publish("a", "x", {}, None)
    assert counts(made) == (0, 1)


def test_who_sends_in_the_reactor_is_told_why_it_failed() -> None:
    made = publisher(bus=backend(Refusing))
    failures: list[Any] = []
    made.send("bus", made.message("a", "x", {})).addErrback(failures.append)
    with pytest.raises(CannotPublish, match="no address"):
        failures[0].raiseException()
    assert counts(made) == (0, 1)


def test_what_is_sent_while_the_backends_are_exchanged_waits() -> None:
    bus = backend()
    made = publisher(bus=bus)
    made.hold(["bus"], 5.0)
    made.publish("a", "x", {}, None)
    made.hold(["bus"], 5.0)
    made.publish("b", "x", {}, None)
    assert (bus.published, counts(made)) == ([], (0, 0))
    made.open()
    made.publish("c", "x", {}, None)
    assert [message.topic for message in bus.published] == ["a", "b", "c"]


def test_what_is_for_a_backend_that_is_gone_says_so(caplog: pytest.LogCaptureFixture) -> None:
    backends: dict[str, Any] = {"bus": backend()}
    made = made_of(backends)
    made.open()
    made.hold(["bus"], 5.0)
    made.publish("a", "x", {}, "bus")
    backends["other"] = backends.pop("bus")
    made.open()
    assert "no backend is called 'bus': there are other" in caplog.text
    assert counts(made) == (0, 1)


class StoreWithOutbox(MemoryStore):
    """Keeps what is to go out until it is told that it went."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_out: dict[int, Outgoing] = {}

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        numbers = sorted(number for number in self.kept_out if number > after)
        looked_at = numbers[:count]
        rows = [(n, self.kept_out[n].message) for n in looked_at if self.kept_out[n].backend == backend]
        return OutboxPortion(rows, max(looked_at, default=after), len(numbers) > count)

    def outbox_counts(self) -> tuple[dict[str, int], int]:
        names = Counter(one.backend for one in self.kept_out.values())
        return dict(names), max(self.kept_out, default=0)

    def sent(self, number: int) -> None:
        del self.kept_out[number]


class Desk:
    """A publisher with a store, and two buses."""

    def __init__(self) -> None:
        self.store = StoreWithOutbox()
        self.reactor = FakeReactor()
        self.buses = {name: Memory(hub_context(Settings())) for name in ("bus", "wire")}
        self.backends: dict[str, Any] = dict(self.buses)
        self.publisher = Publisher(self.backends, self.reactor, self.store, self.reactor.seconds, most)
        for bus in self.buses.values():
            bus.start(Recorder())

    def commit(self, *numbers: int, backend: str = "bus") -> None:
        """Messages to go out, of these numbers, are on the disk, and the writer tells of them."""
        outgoing = [Outgoing(backend, message(number)) for number in numbers]
        self.store.kept_out |= dict(zip(numbers, outgoing, strict=True))
        self.publisher.stored(numbers[0], outgoing)

    def sent(self, name: str = "bus") -> list[str]:
        return [sent.id for sent in self.buses[name].published]


def test_what_was_left_goes_out_first_and_nothing_goes_twice() -> None:
    desk = Desk()
    desk.commit(1, 2)
    assert desk.sent() == []
    desk.publisher.open()
    desk.publisher.stored(2, [Outgoing("bus", message(2))])  # it was on its way when the outbox was read
    desk.commit(3)
    assert desk.sent() == ["1", "2", "3"]
    assert desk.store.kept_out == {}
    assert counts(desk.publisher) == (3, 0)


def test_what_comes_while_backends_are_exchanged_goes_to_those_that_come() -> None:
    desk = Desk()
    desk.publisher.open()
    desk.publisher.hold(["bus"], 5.0)
    old = desk.backends.pop("bus")
    desk.commit(1)
    desk.backends["bus"] = old
    desk.publisher.publish("a.b", b"of no message", {}, "bus")
    assert desk.sent() == []
    desk.publisher.open()
    desk.commit(2)
    assert len(desk.sent()) == 3
    assert counts(desk.publisher) == (3, 0)


def test_an_exchange_of_one_backend_holds_up_no_other() -> None:
    desk = Desk()
    desk.publisher.open()
    desk.publisher.hold(["bus"], 5.0)
    desk.commit(1)
    desk.commit(2, backend="wire")
    assert (desk.sent("bus"), desk.sent("wire")) == ([], ["2"])


def test_a_bus_that_is_away_holds_up_no_other() -> None:
    desk = Desk()
    desk.buses["bus"].away = "the broker restarts"
    desk.publisher.open()
    desk.commit(1)
    desk.commit(2, backend="wire")
    assert (desk.sent("bus"), desk.sent("wire")) == ([], ["2"])
    desk.buses["bus"].away = ""
    desk.reactor.advance(FIRST_DELAY)
    assert (desk.sent("bus"), desk.store.kept_out) == (["1"], {})


def test_what_comes_after_the_end_stays_in_the_store() -> None:
    desk = Desk()
    desk.publisher.open()
    ended: list[None] = []
    desk.publisher.finish(5.0).addCallback(ended.append)
    assert ended == [None]
    desk.commit(1)
    desk.publisher.publish("a.b", b"of no message", {}, "bus")
    assert (desk.sent(), list(desk.store.kept_out), counts(desk.publisher)) == ([], [1], (0, 1))


def test_the_end_waits_for_the_bus_to_confirm_but_not_for_ever() -> None:
    desk = Desk()
    desk.publisher.open()
    bus = desk.buses["bus"]
    bus.confirms_late = True
    desk.commit(1)
    desk.publisher.publish("a.b", b"of no message", {}, "bus")
    ended: list[None] = []
    desk.publisher.finish(5.0).addCallback(ended.append)
    bus.confirm_published(1)
    assert (ended, list(desk.store.kept_out)) == ([], [])
    desk.reactor.advance(5.0)
    assert (ended, counts(desk.publisher)) == ([None], (1, 1))


def test_what_waits_for_a_backend_that_is_removed_is_kept_and_told(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.publisher.open()
    desk.publisher.hold(["wire"], 5.0)
    desk.commit(1, 2, backend="wire")
    del desk.backends["wire"]
    desk.publisher.open()
    assert "backend wire is not configured: 2 messages for it stay in the store until it is" in caplog.text
    assert desk.publisher.status()["outboxes_without_backend"] == {"wire": 2}
    assert list(desk.store.kept_out) == [1, 2]
    desk.backends["wire"] = desk.buses["wire"]
    desk.publisher.open()
    assert (desk.sent("wire"), desk.store.kept_out) == (["1", "2"], {})
    assert desk.publisher.status()["outboxes_without_backend"] == {}


def test_what_was_left_for_a_backend_that_is_removed_is_told_at_the_next_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    desk.commit(1, backend="former")
    desk.publisher.open()
    assert "backend former is not configured: 1 message for it stay" in caplog.text
    assert desk.publisher.status()["outboxes_without_backend"] == {"former": 1}


class Picky(RecordingBackend):
    """Says at once what it does not take."""

    def check(self, message: Message) -> None:
        if message.body == b"no":
            raise CannotPublish("not this one")


def test_what_a_backend_can_never_send_raises_where_it_is_published_and_is_not_posted() -> None:
    bus, posted = backend(Picky), list[Any]()
    made = publisher(bus=bus)
    current_message.use(posted.append)
    try:
        with pytest.raises(CannotPublish, match="not this one"):
            made.publish("a", "no", {}, None)
        made.publish("a", "yes", {}, None)
    finally:
        current_message.use(None)
    assert [outgoing.message.body for outgoing in posted] == [b"yes"]
    assert counts(made) == (0, 0)


@pytest.mark.parametrize("headers", [{"a": [5]}, {5: "x"}, {"a": None}, {"a": b"x"}])
def test_headers_are_texts_numbers_true_or_false(headers: Any) -> None:
    with pytest.raises(TypeError, match="text"):
        publisher(bus=backend()).publish("a", "x", headers, None)


def test_they_keep_their_types() -> None:
    bus = backend()
    publisher(bus=bus).publish("a", "x", {"text": "20", "whole": 20, "floating": 20.0, "flag": True}, None)
    assert [repr(value) for value in bus.published[0].headers.values()] == ["'20'", "20", "20.0", "True"]
