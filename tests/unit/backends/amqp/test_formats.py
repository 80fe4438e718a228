"""Messages of AMQP, and the hub's."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from pika import BasicProperties
from pika.compat import long

from hub.backends.amqp.client import format_of
from hub.backends.amqp.formats import Delivery, Format, Outgoing
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message
from tests.unit.backends.amqp.clients import settings


def made(**given: Any) -> Format:
    return format_of(settings(1, **{"publish": "e", **given}), lambda: 1000.0)


def delivery(body: bytes = b"{}", key: str = "a.b", redelivered: bool = False, **properties: Any) -> Delivery:
    return Delivery(key, redelivered, BasicProperties(**properties), body, 5.0, "bus")


def read(outgoing: Outgoing, format: Format) -> Message:
    """Read what was written, as it has gone through the wire."""
    pieces = b"".join(outgoing.properties.encode())
    properties: Any = BasicProperties()
    properties.decode(pieces)
    return format.read(Delivery(outgoing.routing_key, False, properties, outgoing.body, 5.0, "bus"))


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

EVENT = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "t"}


def marked(attributes: dict[str, str], mark: str = "cloudEvents:") -> dict[str, Any]:
    return {mark + name: value for name, value in attributes.items()}


def event(mode: str = "binary") -> Format:
    return made(format="cloudevents", cloudevents_mode=mode, cloudevents_source="/here")


@pytest.mark.parametrize("mark", ["cloudEvents:", "cloudEvents_"])
def test_an_event_in_binary_mode_is_read(mark: str) -> None:
    headers = marked(EVENT, mark) | {"mine": 1}
    message = event().read(delivery(b"\x00", headers=headers, content_type="image/png", message_id="other"))
    assert (message.id, message.topic, message.body) == ("e1", "a.b", b"\x00")
    assert message.headers == {
        "ce-specversion": "1.0",
        "ce-source": "/s",
        "ce-type": "t",
        "content-type": "image/png",
        "mine": 1,
    }


@pytest.mark.parametrize(
    ("members", "body"),
    [
        ({"data": {"n": 1}}, b'{"n":1}'),
        ({"data": "text", "datacontenttype": "text/plain"}, b"text"),
        ({"data": "text"}, b'"text"'),
        ({"data_base64": "AP8="}, b"\x00\xff"),
        ({}, b""),
    ],
)
def test_an_event_in_structured_mode_is_read(members: dict[str, Any], body: bytes) -> None:
    raw = json.dumps({**EVENT, **members}).encode()
    message = event().read(delivery(raw, content_type="application/cloudevents+json; charset=utf-8"))
    assert (message.id, message.topic, message.body) == ("e1", "a.b", body)
    assert message.headers["ce-source"] == "/s"
    assert message.headers.get("content-type") == members.get("datacontenttype")


@pytest.mark.parametrize("mode", ["binary", "structured"])
@pytest.mark.parametrize(
    ("body", "kind"), [(b'{"n": 1}', "application/json"), (b"text", "text/plain"), (b"\x00\xff", "image/png")]
)
def test_what_is_published_in_either_mode_comes_back(mode: str, body: bytes, kind: str) -> None:
    message = Message("id", "a.b", body, {"content-type": kind, "ce-type": "t", "mine": True})
    again = read(event(mode).write(message), event())
    assert (again.id, again.topic) == ("id", "a.b")
    assert again.json() == message.json() if kind == "application/json" else again.body == body
    assert again.headers == {
        "content-type": kind,
        "ce-specversion": "1.0",
        "ce-type": "t",
        "ce-source": "/here",
        "ce-time": "1970-01-01T00:16:40Z",
        "mine": True,
    }


def test_an_event_without_a_type_has_the_topic_for_it() -> None:
    written = event().write(Message("id", "a.b", b"{}")).properties
    assert written.headers["cloudEvents:type"] == "a.b"
    assert written.content_type == "application/json"


@pytest.mark.parametrize(
    ("kind", "one", "text"),
    [
        ("cloudevent", delivery(), "no specversion, id, source, type"),
        (
            "cloudevent",
            delivery(headers={"cloudEvents:" + n: v for n, v in (EVENT | {"specversion": "2"}).items()}),
            "'2'",
        ),
        ("not_json", delivery(b"x", content_type="application/cloudevents+json"), "not JSON"),
        ("not_an_object", delivery(b"[]", content_type="application/cloudevents+json"), "not an object"),
        ("cloudevent", delivery(b"[]", content_type="application/cloudevents-batch+json"), "is not read"),
    ],
)
def test_what_is_no_event_is_refused(kind: str, one: Delivery, text: str) -> None:
    with pytest.raises(Unusable, match=text) as caught:
        event().read(one)
    assert caught.value.kind == kind


def test_an_event_whose_data_is_not_base64_is_refused() -> None:
    raw = json.dumps({**EVENT, "data_base64": "*"}).encode()
    with pytest.raises(Unusable, match="not base64"):
        event().read(delivery(raw, content_type="application/cloudevents+json"))


STRUCTURED = "application/cloudevents+json"
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"time": "yesterday"}, "attribute time is 'yesterday': expected a time"),
    ({"time": "2026-02-30T00:00:00Z"}, "expected a time"),
    ({"time": "2026-02-03"}, "expected a time"),
    ({"time": 5}, "expected a time"),
    ({"id": 5}, "attribute id is '5': expected a text"),
    ({"source": "my source"}, "expected a URI reference"),
    ({"dataschema": "no-scheme"}, "expected a URI"),
    ({"subject": ""}, "attribute subject is ''"),
    ({"datacontenttype": "json"}, "expected a media type"),
    ({"list": [1]}, "attribute list is .1.: expected a text, true or false"),
    ({"half": 1.5}, "expected a text, true or false, or a whole number"),
    ({"large": 1 << 31}, "a whole number of 32 bits"),
    ({"myExt": "x"}, "attribute myExt has no name"),
]


@pytest.mark.parametrize(("more", "text"), WRONG)
def test_an_attribute_that_can_not_be_is_refused(more: dict[str, Any], text: str) -> None:
    raw = json.dumps({**EVENT, **more}).encode()
    with pytest.raises(Unusable, match=text) as caught:
        event().read(delivery(raw, content_type=STRUCTURED))
    assert caught.value.kind == "cloudevent"


@pytest.mark.parametrize(
    ("more", "text"), [one for one in WRONG if "half" not in one[0] and "datacontenttype" not in one[0]]
)
def test_so_it_is_in_binary_mode(more: dict[str, Any], text: str) -> None:
    with pytest.raises(Unusable, match=text) as caught:
        event().read(delivery(headers=marked({**EVENT, **more}, "cloudEvents:")))
    assert caught.value.kind == "cloudevent"


@pytest.mark.parametrize(
    "time",
    ["2026-01-02T03:04:05Z", "2026-01-02t03:04:05.123456789z", "2016-12-31T23:59:60Z", "1990-01-01T00:00:00-08:00"],
)
def test_a_time_of_rfc_3339_is_taken_as_it_is(time: str) -> None:
    raw = json.dumps({**EVENT, "time": time}).encode()
    assert event().read(delivery(raw, content_type=STRUCTURED)).headers["ce-time"] == time


def test_an_attribute_that_is_null_is_missing() -> None:
    raw = json.dumps({**EVENT, "subject": None, "data": None, "data_base64": "AP8="}).encode()
    message = event().read(delivery(raw, content_type=STRUCTURED))
    assert (set(message.headers), message.body) == ({"ce-specversion", "ce-source", "ce-type"}, b"\x00\xff")
    with pytest.raises(Unusable, match="no source"):
        event().read(delivery(headers=marked({**EVENT, "source": None}, "cloudEvents:")))


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"data": {}, "data_base64": "AP8="}, "both data and data_base64"),
        ({"data": "", "data_base64": ""}, "both data and data_base64"),
        ({"data_base64": 1234}, "data_base64 is no text"),
    ],
)
def test_an_event_has_its_data_once(more: dict[str, Any], text: str) -> None:
    with pytest.raises(Unusable, match=text) as caught:
        event().read(delivery(json.dumps({**EVENT, **more}).encode(), content_type=STRUCTURED))
    assert caught.value.kind == "cloudevent"


def test_times_and_bytes_of_amqp_are_attributes() -> None:
    headers = marked(
        {**EVENT, "time": datetime(2026, 1, 2, tzinfo=UTC), "raw": b"\x00\xff", "n": long(3)}, "cloudEvents:"
    )
    found = event().read(delivery(headers=headers)).headers
    assert (found["ce-time"], found["ce-raw"], found["ce-n"]) == ("2026-01-02T00:00:00Z", "AP8=", 3)


@pytest.mark.parametrize("headers", [{"ce-time": "yesterday"}, {"ce-My-Name": "x"}, {"ce-data": "x"}, {"ce-n": 1.5}])
def test_an_event_that_nobody_could_read_is_not_published(headers: dict[str, Any]) -> None:
    with pytest.raises(CannotPublish, match="the event's attribute"):
        event().write(Message("id", "a", b"{}", headers))


def test_an_event_needs_an_id() -> None:
    with pytest.raises(CannotPublish, match="no id"):
        event().write(Message("", "a", b"{}"))
