"""Messages, and the fields of entries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.backends.redis.entries import check, fields_of, maker_of, message_of, place_of
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message
from tests.unit.backends.redis.clients import settings


def read(*fields: bytes, again: bool = False, **given: Any) -> Message:
    return message_of("work", b"5-1", fields, settings(1, **given), 7.0, "bus", again)


def test_an_entry_has_a_body_a_topic_an_id_and_headers() -> None:
    found = read(b"topic", b"a.b", b"body", b"\0\xff", b"id", b"x", b"severity", b"2")
    assert found == Message("x", "a.b", b"\0\xff", {"severity": "2"}, 7.0, "bus")


def test_what_is_missing_comes_from_the_stream() -> None:
    found = read(b"body", b"1", b"topic", b"", b"id", b"")
    assert (found.id, found.topic, dict(found.headers)) == ("work/5-1", "work", {})


def test_an_entry_without_a_body_is_all_its_fields() -> None:
    """Other programs write such ones."""
    found = read(b"user", b"ann", b"age", b"7", b"photo", b"\xff")
    assert found.json() == {"user": "ann", "age": "7", "photo.json": json.dumps("/w==")}


def test_a_header_that_is_no_text_is_kept() -> None:
    assert read(b"body", b"", b"raw", b"\xff").headers == {"raw.json": '"/w=="'}


def test_one_that_was_delivered_before_says_so() -> None:
    assert read(b"body", b"", again=True).headers == {"redelivered": True}


def test_a_large_body_is_refused() -> None:
    with pytest.raises(Unusable, match="2000 bytes, and max_message_size is 1024") as caught:
        read(b"body", b"x" * 2000, max_message_size=1024)
    assert caught.value.kind == "oversize"


def test_fields_bring_the_message_back() -> None:
    sent = Message("x", "a.b", b"{}", {"text": "t", "n": 3, "yes": True, "redelivered": True, "body": "no"})
    fields = [one.encode() if isinstance(one, str) else one for one in fields_of(sent, sent.body)]
    assert read(*fields) == Message("x", "a.b", b"{}", {"text": "t", "n": "3", "yes": "true"}, 7.0, "bus")


def test_an_envelope_has_topic_and_id() -> None:
    body = json.dumps({"topic": "org.a", "msg_id": "2026-x", "msg": {}, "headers": {"n": 1}}).encode()
    found = read(b"body", body, b"topic", b"other", format="fedmsg")
    assert (found.topic, found.id, found.headers, found.body) == ("org.a", "2026-x", {"n": 1}, body)
    assert read(b"body", b"{}", b"topic", b"other", format="fedmsg").topic == "other"


@pytest.mark.parametrize(("body", "kind"), [(b"no JSON", "not_json"), (b"[1]", "not_an_object")])
def test_what_is_no_envelope_is_counted_by_kind(body: bytes, kind: str) -> None:
    with pytest.raises(Unusable) as caught:
        read(b"body", body, format="fedmsg")
    assert caught.value.kind == kind


def test_published_envelopes() -> None:
    assert maker_of(settings(1, publish="out"), lambda: 1.0) is None
    made = maker_of(settings(1, publish="out", format="fedmsg"), lambda: 1.0)
    assert made is not None
    assert json.loads(made.make(Message("x", "org.a", b'{"n":1}')))["msg"] == {"n": 1}


def test_an_event_goes_and_comes() -> None:
    given: dict[str, Any] = {"format": "cloudevents", "cloudevents_source": "/here"}
    made = maker_of(settings(1, publish="out", **given), lambda: 0.0)
    assert made is not None
    event = made.make(Message("x", "org.a", b'{"n":1}', {"ce-type": "t"}))
    assert json.loads(event) == {
        "specversion": "1.0",
        "id": "x",
        "source": "/here",
        "type": "t",
        "time": "1970-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"n": 1},
    }
    found = read(b"body", event, b"topic", b"org.a", b"own", b"1", **given)
    assert (found.id, found.topic, found.body) == ("x", "org.a", b'{"n":1}')
    assert (found.headers["ce-type"], found.headers["ce-source"], found.headers["own"]) == ("t", "/here", "1")


def test_what_is_no_event_is_refused() -> None:
    for body in (b'{"id":"x"}', b'{"specversion":"0.3","id":"x","source":"s","type":"t"}'):
        with pytest.raises(Unusable) as caught:
            read(b"body", body, format="cloudevents")
        assert caught.value.kind == "cloudevent"


def test_an_event_that_is_too_large_is_told_before() -> None:
    made = maker_of(settings(1, publish="out", format="cloudevents", max_message_size=1024), lambda: 0.0)
    assert made is not None
    with pytest.raises(CannotPublish, match="max_message_size is 1024"):
        made.check(Message("x", "a", b"x" * 1000))


@pytest.mark.parametrize(
    ("message", "given", "text"),
    [
        (Message("x", "a", b""), {}, "neither 'publish'"),
        (Message("x", "", b""), {"publish": "out"}, "without a topic"),
        (Message("x", "a", b"x" * 2000), {"publish": "out", "max_message_size": 1024}, "max_message_size"),
        (Message("x", "a", b"", {"h": "\ud800"}), {"publish": "out"}, "half a surrogate pair"),
        (Message("x", "ä" * 600, b"{}"), {"publish": "out", "format": "fedmsg"}, "bytes at most"),
    ],
)
def test_what_can_never_be_sent(message: Message, given: dict[str, Any], text: str) -> None:
    with pytest.raises(CannotPublish, match=text):
        check(message, settings(1, **given))


def test_the_topic_may_be_part_of_the_place() -> None:
    assert place_of("out.{topic}", "a.b") == "out.a.b"
    assert place_of("work", "a.b") == "work"
