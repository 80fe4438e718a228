"""Messages, and the fields of entries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.backends.redis.entries import check, fields_of, message_of, place_of
from hub.backends.redis.formats import format_of
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message
from tests.unit.backends.redis.clients import settings


def read(*fields: bytes, again: bool = False, **given: Any) -> Message:
    config = settings(1, **given)
    return message_of("work", b"5-1", fields, config, format_of(config, lambda: 0.0), 7.0, "bus", again)


def written(message: Message, **given: Any) -> list[bytes]:
    """Fields of the entry that is published."""
    made = format_of(settings(1, publish="out", **given), lambda: 0.0).write(message)
    return [one.encode() if isinstance(one, str) else one for one in fields_of(made)]


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


@pytest.mark.parametrize(
    ("name", "size", "kind"),
    [(b"topic", 1024, "topic_size"), (b"id", 256, "id_size"), (b"header", (64 << 10) - 14, "headers_size")],
)
@pytest.mark.parametrize("format", ["plain", "fedora-messaging"])
def test_a_topic_an_id_and_headers_are_bounded(name: bytes, size: int, kind: str, format: str) -> None:
    read(b"body", b"{}", name, b"x" * size, format=format)
    with pytest.raises(Unusable, match="are the most") as caught:
        read(b"body", b"{}", name, b"x" * (size + 1), format=format)
    assert caught.value.kind == kind
    shown = caught.value.shown
    assert (len(shown.topic), len(shown.id)) <= (1024, 256)
    assert len(str(caught.value)) < 100
    assert shown.headers == {} or kind != "headers_size"


def test_an_id_made_of_the_name_of_the_stream_may_be_as_long_as_that() -> None:
    config = settings(1)
    found = message_of("s" * 1000, b"5-1", (b"body", b""), config, format_of(config, lambda: 0.0), 7.0, "bus")
    assert found.id == f"{'s' * 1000}/5-1"


def test_what_a_receiver_would_refuse_is_not_sent() -> None:
    for message in (
        Message("x", "a" * 1025, b""),
        Message("x" * 257, "a", b""),
        Message("x", "a", b"", {"h": "x" * 70_000}),
    ):
        with pytest.raises(CannotPublish, match="whoever receives it would refuse it"):
            check(message, settings(1, publish="out"))


@pytest.mark.parametrize("large", [{"id": "x" * 300}, {"note": "x" * 70_000}])
def test_attributes_in_the_body_of_an_event_are_bounded(large: dict[str, str]) -> None:
    body = json.dumps({"specversion": "1.0", "id": "x", "source": "s", "type": "t", **large}).encode()
    with pytest.raises(Unusable) as caught:
        read(b"body", body, format="cloudevents")
    assert caught.value.kind in ("id_size", "headers_size")


def test_fields_bring_the_message_back() -> None:
    sent = Message("x", "a.b", b"{}", {"text": "t", "n": 3, "yes": True, "redelivered": True, "body": "no"})
    assert read(*written(sent)) == Message("x", "a.b", b"{}", {"text": "t", "n": "3", "yes": "true"}, 7.0, "bus")


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
    fields = written(Message("x", "org.a", b'{"n":1}', {"own": "1"}), format="fedmsg")
    assert json.loads(fields[5])["msg"] == {"n": 1}
    assert fields[6:] == [b"own", b"1"]


EVENT = {"specversion": "1.0", "id": "x", "source": "/here", "type": "t", "time": "1970-01-01T00:00:00Z"}
SENT = Message("x", "org.a", b'{"n":1}', {"ce-type": "t", "own": "1"})
HERE: dict[str, Any] = {"format": "cloudevents", "cloudevents_source": "/here"}


def test_a_structured_event_is_the_body() -> None:
    fields = written(SENT, **HERE)
    assert json.loads(fields[5]) == {**EVENT, "datacontenttype": "application/json", "data": {"n": 1}}
    assert fields[6:] == [b"own", b"1", b"content-type", b"application/cloudevents+json; charset=utf-8"]


def test_a_binary_event_is_fields() -> None:
    fields = written(SENT, cloudevents_mode="binary", **HERE)
    found = {name.decode(): value.decode() for name, value in zip(fields[::2], fields[1::2], strict=True)}
    attributes = {f"ce-{name}": value for name, value in EVENT.items()}
    own = {"id": "x", "topic": "org.a", "body": '{"n":1}', "own": "1", "content-type": "application/json"}
    assert found == attributes | own


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_an_event_goes_and_comes(mode: str) -> None:
    message = read(*written(SENT, cloudevents_mode=mode, **HERE), **HERE)
    attributes = {f"ce-{name}": value for name, value in EVENT.items() if name != "id"}
    headers = {**attributes, "own": "1", "content-type": "application/json"}
    assert (message.id, message.topic, message.body, message.headers) == ("x", "org.a", b'{"n":1}', headers)


def test_a_binary_event_may_have_any_bytes() -> None:
    given: dict[str, Any] = {"format": "cloudevents", "cloudevents_mode": "binary"}
    message = read(*written(Message("x", "a", b"\xff\0"), **given), **given)
    assert (message.body, "content-type" in message.headers) == (b"\xff\0", False)


def test_a_binary_event_has_all_attributes() -> None:
    fields = (b"ce-specversion", b"1.0", b"ce-id", b"x", b"ce-type", b"t", b"body", b"{}")
    with pytest.raises(Unusable, match="the event has no source") as caught:
        read(*fields, format="cloudevents")
    assert caught.value.kind == "cloudevent"


SEVERITY, USER = "fedora_messaging_severity", "fedora_messaging_user_ann"
FEDORA: dict[str, Any] = {"format": "fedora-messaging"}


def test_headers_of_fedora_messaging_get_their_types_back() -> None:
    sent = Message("x", "a.b", b'{"n": 1}', {SEVERITY: 30, USER: True, "own": "1"})
    message = read(*written(sent, topic_prefix="org.prod", **FEDORA), **FEDORA)
    assert (message.id, message.topic, message.body) == ("x", "org.prod.a.b", b'{"n": 1}')
    assert message.headers == {
        "fedora_messaging_schema": "base.message",
        "fedora_messaging_schema_package": "fedora_messaging",
        "sent-at": "1970-01-01T00:00:00+00:00",
        SEVERITY: 30,
        "priority": 0,
        USER: True,
        "own": "1",
    }
    assert read(b"body", b"{}", **FEDORA).headers == {}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ((b"body", b"no JSON"), "not_json"),
        ((b"body", b"[1]"), "not_an_object"),
        ((b"body", b"{}", SEVERITY.encode(), b"25"), "severity"),
        ((b"body", b"{}", SEVERITY.encode(), b"high"), "severity"),
    ],
)
def test_what_consumers_of_fedora_messaging_refuse_is_counted_by_kind(fields: tuple[bytes, ...], kind: str) -> None:
    with pytest.raises(Unusable) as caught:
        read(*fields, **FEDORA)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "priority"),
    [(str(2**63 - 1), 2**63 - 1), (str(2**63), str(2**63)), ("9" * 5000, "9" * 5000), ("-1", "-1")],
)
def test_a_number_that_no_header_can_be_remains_a_text(text: str, priority: int | str) -> None:
    assert read(b"priority", text.encode(), b"body", b"{}", **FEDORA).headers == {"priority": priority}


@pytest.mark.parametrize("message", [Message("x", "a", b"[1]"), Message("x", "a", b"{}", {SEVERITY: "25"})])
def test_what_they_refuse_is_not_sent(message: Message) -> None:
    with pytest.raises(CannotPublish, match="fedora-messaging does not take it"):
        format_of(settings(1, publish="out", **FEDORA), lambda: 0.0).check(message)


def test_what_is_no_event_is_refused() -> None:
    for body in (b'{"id":"x"}', b'{"specversion":"0.3","id":"x","source":"s","type":"t"}'):
        with pytest.raises(Unusable) as caught:
            read(b"body", body, format="cloudevents")
        assert caught.value.kind == "cloudevent"


def test_an_event_that_is_too_large_is_told_before() -> None:
    made = format_of(settings(1, publish="out", format="cloudevents", max_message_size=1024), lambda: 0.0)
    with pytest.raises(CannotPublish, match="max_message_size is 1024"):
        made.check(Message("x", "a", b"x" * 1000))


@pytest.mark.parametrize(
    ("message", "given", "text"),
    [
        (Message("x", "a", b""), {}, "neither 'publish'"),
        (Message("x", "", b""), {"publish": "out"}, "without a topic"),
        (Message("x", "a", b"x" * 2000), {"publish": "out", "max_message_size": 1024}, "max_message_size"),
        (Message("x", "a", b"", {"h": "\ud800"}), {"publish": "out"}, "half a surrogate pair"),
    ],
)
def test_what_can_never_be_sent(message: Message, given: dict[str, Any], text: str) -> None:
    with pytest.raises(CannotPublish, match=text):
        check(message, settings(1, **given))


def test_what_the_format_never_takes() -> None:
    format_of(settings(1, publish="out"), lambda: 0.0).check(Message("x", "a", b"\xff"))
    fedmsg = format_of(settings(1, publish="out", format="fedmsg"), lambda: 0.0)
    with pytest.raises(CannotPublish, match="bytes at most"):
        fedmsg.check(Message("x", "ä" * 600, b"{}"))
    events = format_of(settings(1, publish="out", format="cloudevents"), lambda: 0.0)
    with pytest.raises(CannotPublish, match="the event has no type"):
        events.check(Message("x", "a", b"", {"ce-type": ""}))


def test_the_topic_may_be_part_of_the_place() -> None:
    assert place_of("out.{topic}", "a.b") == "out.a.b"
    assert place_of("work", "a.b") == "work"
