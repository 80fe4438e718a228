"""Events of CloudEvents 1.0, made of messages and read, in structured mode."""

from __future__ import annotations

import json

import pytest

from hub.cloudevents import CloudEvent, NoEvent, event_of, read_structured, write_structured
from hub.message import Message


def written(body: bytes, **headers: str) -> dict[str, object]:
    found = write_structured(event_of(Message("7", "a.b", body, headers), "/hub", 0.0))
    return dict(json.loads(found))


def test_a_message_becomes_an_event() -> None:
    assert written(b'{"x": 1}') == {
        "specversion": "1.0",
        "id": "7",
        "source": "/hub",
        "type": "a.b",
        "time": "1970-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"x": 1},
    }


def test_its_headers_are_attributes_but_for_id_and_version() -> None:
    found = written(b"x", **{"ce-type": "t", "ce-id": "other", "ce-specversion": "9", "content-type": "text/plain"})
    assert (found["type"], found["id"], found["specversion"], found["data"]) == ("t", "7", "1.0", "x")


def test_a_body_that_is_no_text_is_base64() -> None:
    assert written(b"\xff", **{"content-type": "image/png"})["data_base64"] == "/w=="


@pytest.mark.parametrize("body", [b'{"x":1}', b"[1]", b'"x"'])
def test_what_is_written_is_read(body: bytes) -> None:
    event = read_structured(write_structured(event_of(Message("7", "a.b", body), "/hub", 0.0)))
    assert (event.id, event.data, event.attributes["type"]) == ("7", body, "a.b")


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({}, "has no specversion, id, source, type"),
        ({"specversion": "0.3", "id": "1", "source": "s", "type": "t"}, "not 1.0"),
    ],
)
def test_what_is_no_event(attributes: dict[str, str], told: str) -> None:
    with pytest.raises(NoEvent, match=told):
        CloudEvent(attributes, b"")
