"""Events of CloudEvents, as messages of AMQP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pika.compat import long

from hub.backends.amqp.formats import Delivery, Format
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message
from tests.unit.backends.amqp.messages import delivery, made, read

EVENT: dict[str, Any] = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "t"}


def marked(attributes: dict[str, Any], mark: str = "cloudEvents:") -> dict[str, Any]:
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
