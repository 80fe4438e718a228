"""Messages of AMQP, and the hub's."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from pika.compat import long

from hub.backends.amqp.formats import Delivery
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message
from tests.unit.backends.amqp.messages import delivery, made, read


def test_a_message_has_the_routing_key_the_id_and_typed_headers() -> None:
    table = {"n": 1, "yes": True, "text": "é", "none": None, "x-death": [{"count": long(1)}]}
    message = made().read(delivery(b"\xff", headers=table, message_id="m", content_type="text/plain", priority=3))
    assert (message.id, message.topic, message.body, message.received_at) == ("m", "a.b", b"\xff", 5.0)
    assert message.headers == {
        "content-type": "text/plain",
        "priority": 3,
        "n": 1,
        "yes": True,
        "text": "é",
        "none.json": "null",
        "x-death.json": '[{"count":1}]',
    }


def test_times_bytes_and_a_header_like_a_property_are_kept() -> None:
    when = datetime(2026, 1, 2, tzinfo=UTC)
    message = made().read(delivery(headers={"t": when, "b": b"\xff", "priority": "high"}, priority=1, user_id="me"))
    assert message.headers["priority"] == "high"
    assert message.headers["user-id"] == "me"
    assert "2026-01-02" in str(message.headers["t.json"])
    assert set(message.headers) == {"priority", "user-id", "t.json", "b.json"}


def test_one_that_comes_again_says_so() -> None:
    assert made().read(delivery(redelivered=True)).headers == {"redelivered": True}


def test_what_is_published_comes_back_the_same() -> None:
    headers: dict[str, Any] = {
        "n": 1 << 40,
        "no": False,
        "text": "x",
        "content-type": "a/b",
        "priority": 9,
        "expiration": "60000",
        "type": "t",
    }
    message = Message("id", "a.b", b"body", headers)
    outgoing = made().write(message)
    again = read(outgoing, made())
    assert (again.id, again.topic, again.body, again.headers) == ("id", "a.b", b"body", headers)
    assert (outgoing.properties.delivery_mode, outgoing.properties.priority) == (2, 9)
    assert made(persistent=False).write(message).properties.delivery_mode == 1


def test_floats_are_sent_as_doubles() -> None:
    """pika has no way to write one, and reads it as a whole number."""
    properties = made().write(Message("id", "a", b"", {"f": 1.5, "n": 2})).properties
    encoded = b"".join(properties.encode())
    table = b"\x01fd" + struct.pack(">d", 1.5) + b"\x01nI" + struct.pack(">i", 2)
    assert struct.pack(">I", len(table)) + table in encoded
    assert properties.headers == {"f": 1.5, "n": 2}


def test_headers_that_rabbitmq_reads_itself_stay_here() -> None:
    headers: dict[str, Any] = {
        "CC": "x",
        "BCC": "x",
        "user-id": "other",
        "redelivered": True,
        "x-death": "x",
        "mine": 1,
    }
    properties = made().write(Message("id", "a.b", b"", headers)).properties
    assert properties.headers == {"mine": 1}
    assert properties.user_id is None


def test_the_routing_key_is_a_template() -> None:
    assert made(routing_key="to.{topic}").write(Message("i", "a.b", b"")).routing_key == "to.a.b"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message("i", "", b""), "without a topic"),
        (Message("i", "a" * 256, b""), "more than 255 bytes"),
        (Message("i" * 256, "a", b""), "'message_id' has more than 255 bytes"),
        (Message("i", "a", b"x" * 2000), "has 2000 bytes"),
        (Message("i", "a", b"", {"priority": "high"}), "'priority' is a property of AMQP, a number from 0 to 255"),
        (Message("i", "a", b"", {"priority": 256}), "from 0 to 255"),
        (
            Message("i", "a", b"", {"expiration": "soon"}),
            "'expiration' is a property of AMQP, a number from 0 to 4294967295",
        ),
        (Message("i", "a", b"", {"expiration": 1 << 32}), "from 0 to 4294967295"),
        (Message("i", "a", b"", {"content-type": "x" * 256}), "'content-type' has more than 255 bytes"),
    ],
)
def test_what_amqp_can_not_carry_is_never_sent(message: Message, text: str) -> None:
    with pytest.raises(CannotPublish, match=text):
        made(max_message_size=1024).write(message)


def test_without_an_exchange_nothing_is_published() -> None:
    with pytest.raises(CannotPublish, match="no 'publish'"):
        made(publish=None).write(Message("i", "a", b""))


@pytest.mark.parametrize("format", ["plain", "fedora-messaging", "cloudevents"])
def test_what_no_format_takes_is_refused(format: str) -> None:
    for kind, one in [("oversize", delivery(b"x" * 2000)), ("topic", delivery(key=""))]:
        with pytest.raises(Unusable) as caught:
            made(format=format, max_message_size=1024).read(one)
        assert caught.value.kind == kind


# -- fedora-messaging

FEDORA: dict[str, Any] = {"format": "fedora-messaging"}
SENT = {
    "fedora_messaging_schema": "base.message",
    "fedora_messaging_schema_package": "fedora_messaging",
    "fedora_messaging_severity": 20,
    "sent-at": "1970-01-01T00:16:40+00:00",
    "priority": 0,
}


def test_fedoras_headers_are_sent_with_every_message() -> None:
    outgoing = made(**FEDORA, topic_prefix="org.x").write(Message("id", "a.b", b'{"n": 1}'))
    properties = outgoing.properties
    assert (outgoing.routing_key, outgoing.body, properties.message_id) == ("org.x.a.b", b'{"n": 1}', "id")
    assert (properties.content_type, properties.content_encoding) == ("application/json", "utf-8")
    assert properties.headers == SENT


def test_a_topic_that_has_the_prefix_is_kept() -> None:
    format = made(**FEDORA, topic_prefix="org.x")
    assert format.write(Message("i", "org.x.a", b"{}")).routing_key == "org.x.a"
    assert format.write(Message("i", "org.xa", b"{}")).routing_key == "org.x.org.xa"


def test_headers_that_came_as_text_get_their_types() -> None:
    """As from a STOMP broker: a severity as text makes every consumer drop the message."""
    headers = {"fedora_messaging_severity": "30", "fedora_messaging_user_me": "true", "priority": "2", "mine": "30"}
    properties = made(**FEDORA).write(Message("i", "a", b"{}", headers)).properties
    assert properties.headers == SENT | {
        "fedora_messaging_severity": 30,
        "fedora_messaging_user_me": True,
        "priority": 2,
        "mine": "30",
    }
    assert properties.priority == 2


@pytest.mark.parametrize(
    ("kind", "one"),
    [
        ("not_json", delivery(b"no")),
        ("not_json", delivery(b'{"a": "\xff"}')),
        ("not_an_object", delivery(b"[1]")),
        ("severity", delivery(headers={"fedora_messaging_severity": 25})),
        ("severity", delivery(headers={"fedora_messaging_severity": "20"})),
        ("severity", delivery(headers={"fedora_messaging_severity": True})),
        ("severity", delivery(headers={"fedora_messaging_severity": None})),
        ("severity", delivery(headers={"fedora_messaging_severity": [20]})),
        ("severity", delivery(headers={"fedora_messaging_severity": {"level": 20}})),
        ("schema", delivery(headers={"fedora_messaging_schema": 5})),
        ("schema", delivery(headers={"fedora_messaging_schema": None})),
        ("sent_at", delivery(headers={"sent-at": datetime(2026, 1, 2, tzinfo=UTC)})),
        ("encoding", delivery(content_encoding="latin-1")),
    ],
)
def test_what_fedoras_consumers_refuse_is_refused(kind: str, one: Delivery) -> None:
    with pytest.raises(Unusable) as caught:
        made(**FEDORA).read(one)
    assert caught.value.kind == kind


def test_what_they_take_without_headers_is_taken() -> None:
    message = made(**FEDORA).read(delivery(b'{"x": NaN}'))
    assert (message.topic, message.headers) == ("a.b", {})


@pytest.mark.parametrize("body", [b"[]", b"no", b'"x"'])
def test_a_body_that_is_no_object_is_not_published(body: bytes) -> None:
    with pytest.raises(CannotPublish, match="fedora-messaging does not take it: the body is not"):
        made(**FEDORA).write(Message("i", "a", body))


def test_a_severity_that_is_none_is_not_published() -> None:
    with pytest.raises(CannotPublish, match="severity is 'high'"):
        made(**FEDORA).write(Message("i", "a", b"{}", {"fedora_messaging_severity": "high"}))


# -- CloudEvents


@pytest.mark.parametrize(("large", "kind"), [({"id": "x" * 300}, "id_size"), ({"note": "x" * 70_000}, "headers_size")])
def test_attributes_in_the_body_of_an_event_are_bounded(large: dict[str, str], kind: str) -> None:
    body = json.dumps({"specversion": "1.0", "id": "x", "source": "s", "type": "t", **large}).encode()
    with pytest.raises(Unusable, match="are the most") as caught:
        made(format="cloudevents").read(delivery(body, content_type="application/cloudevents+json"))
    assert caught.value.kind == kind
