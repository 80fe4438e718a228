"""Messages that go out."""

from __future__ import annotations

from typing import Any

import pytest

from hub import outbox
from hub.errors import CannotPublish
from hub.message import Message
from hub.publisher import Publisher
from tests.unit.doubles import FakeReactor, RecordingBackend


class Refusing(RecordingBackend):
    def publish(self, message: Message) -> None:
        raise CannotPublish("it has no address to publish to")


def backend(cls: type[RecordingBackend] = RecordingBackend) -> RecordingBackend:
    return cls(None)  # type: ignore[arg-type]


def publisher(**backends: Any) -> Publisher:
    return Publisher(backends, FakeReactor().callFromThread, lambda: 7.0)


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
    bus, later = backend(), list[Any]()
    made = Publisher({"bus": bus}, later.append, lambda: 0.0)
    made.publish("a", "x", {}, None)
    assert bus.published == []
    later[0]()
    assert (len(bus.published), made.counters.published) == (1, 1)


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
    assert (made.counters.failed, made.counters.published) == (1, 0)


def test_who_sends_in_the_reactor_is_told_why_it_failed() -> None:
    made = publisher(bus=backend(Refusing))
    with pytest.raises(CannotPublish, match="no address"):
        made.send("bus", made.message("a", "x", {}))
    assert made.counters.failed == 1


def test_what_is_sent_while_the_backends_are_exchanged_waits() -> None:
    bus = backend()
    made = publisher(bus=bus)
    made.hold()
    made.publish("a", "x", {}, None)
    made.hold()
    made.publish("b", "x", {}, None)
    assert (bus.published, made.counters.failed) == ([], 0)
    made.let_go()
    made.publish("c", "x", {}, None)
    assert [message.topic for message in bus.published] == ["a", "b", "c"]


def test_not_more_wait_than_memory_can_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.publisher.MOST_HELD", 1)
    made = publisher(bus=backend(Refusing))
    made.hold()
    made.publish("a", "x", {}, None)
    made.publish("b", "x", {}, None)
    assert made.counters.failed == 1
    made.let_go()
    assert made.counters.failed == 2


def test_what_is_for_a_backend_that_is_gone_says_so(caplog: pytest.LogCaptureFixture) -> None:
    backends: dict[str, Any] = {"bus": backend()}
    made = Publisher(backends, FakeReactor().callFromThread, lambda: 7.0)
    made.hold()
    made.publish("a", "x", {}, "bus")
    backends["other"] = backends.pop("bus")
    made.let_go()
    assert "no backend is called 'bus': there are other" in caplog.text


class Picky(RecordingBackend):
    """Says at once what it does not take."""

    def check(self, message: Message) -> None:
        if message.body == b"no":
            raise CannotPublish("not this one")


def test_what_a_backend_can_never_send_raises_where_it_is_published_and_is_not_posted() -> None:
    bus, posted = backend(Picky), list[Any]()
    made = publisher(bus=bus)
    outbox.use(posted.append)
    try:
        with pytest.raises(CannotPublish, match="not this one"):
            made.publish("a", "no", {}, None)
        made.publish("a", "yes", {}, None)
    finally:
        outbox.use(None)
    assert [outgoing.message.body for outgoing in posted] == [b"yes"]
    assert (made.counters.published, made.counters.failed) == (0, 0)


@pytest.mark.parametrize("headers", [{"attempt": 5}, {5: "x"}, {"a": None}])
def test_headers_are_texts(headers: Any) -> None:
    with pytest.raises(TypeError, match="expected headers of text"):
        publisher(bus=backend()).publish("a", "x", headers, None)
