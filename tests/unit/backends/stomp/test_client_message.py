"""Messages of the hub in frames, and out of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.backends.stomp.client_message import check, envelopes_of, message_of, send_headers
from hub.backends.stomp.frame import Frame
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import HeaderValue, Message
from tests.unit.backends.stomp.clients import settings

MESSAGE = {
    "subscription": "0",
    "message-id": "m-1",
    "ack": "a-1",
    "receipt": "7",
    "content-length": "2",
    "destination": "/topic/a.b",
    "redelivered": "false",
    "foo": "bar",
}


def received(headers: dict[str, str], body: bytes = b"hi", **given: Any) -> Message:
    return message_of(Frame("MESSAGE", headers, body), settings(1, **given), 5.0, "bus")


def test_a_message_has_what_its_publisher_gave_it() -> None:
    message = received(MESSAGE)
    assert message == Message("m-1", "a.b", b"hi", {"destination": "/topic/a.b", "foo": "bar"}, 5.0, "bus")


def test_that_it_was_redelivered_is_a_header() -> None:
    assert received({**MESSAGE, "redelivered": "true"}).headers["redelivered"] == "true"


def test_the_publishers_id_outlives_a_redelivery() -> None:
    assert received({**MESSAGE, "amqp-message-id": "own"}).id == "own"
    assert received({**MESSAGE, "x-id": "own"}, id_header="x-id").id == "own"


def test_a_header_may_have_the_topic() -> None:
    assert received({**MESSAGE, "topic": "c.d"}, topic_header="topic").topic == "c.d"
    assert received(MESSAGE, topic_header="topic").topic == "a.b"


def test_one_that_is_too_large_is_told_as_that() -> None:
    with pytest.raises(Unusable, match="has 1025 bytes, and max_message_size is 1024") as caught:
        received(MESSAGE, b"x" * 1025, max_message_size=1024)
    assert (caught.value.kind, caught.value.message.topic) == ("oversize", "a.b")


def test_one_without_a_topic_is_told_as_that() -> None:
    with pytest.raises(Unusable, match="no topic in the destination '/'") as caught:
        received({**MESSAGE, "destination": "/"})
    assert caught.value.kind == "topic"


MSG_ID = "2026-d21c9592-bdd6-4605-bd74-1c1104c3b971"


def in_envelope(body: bytes, headers: dict[str, str] = MESSAGE, **given: Any) -> Message:
    return received(headers, body, format="fedmsg", **given)


def test_an_envelope_has_the_topic_the_id_and_headers() -> None:
    content = {"topic": "org.a", "msg_id": MSG_ID, "msg": {}, "headers": {"n": 3, "foo": "of the envelope"}}
    body = json.dumps(content).encode()
    headers: dict[str, HeaderValue] = {"destination": "/topic/a.b", "foo": "bar", "n": 3}
    assert in_envelope(body) == Message(MSG_ID, "org.a", body, headers, 5.0, "bus")


def test_what_an_envelope_lacks_is_of_the_frame() -> None:
    for body in (b"{}", b'{"topic":null,"msg_id":7}', b'{"topic":"","msg_id":"%s"}' % (b"x" * 257)):
        assert (in_envelope(body).topic, in_envelope(body).id) == ("a.b", "m-1")
    assert in_envelope(b'{"topic":"%s"}' % (b"x" * 1025)).topic == "a.b"
    assert in_envelope(b'{"topic":"%s"}' % ("\N{SNOWMAN}" * 400).encode()).topic == "a.b"
    nowhere = {**MESSAGE, "destination": "/"}
    assert in_envelope(b'{"topic":"org.a"}', nowhere).topic == "org.a"
    with pytest.raises(Unusable, match="no topic"):
        in_envelope(b"{}", nowhere)


def test_the_topic_of_a_configured_header_wins() -> None:
    assert in_envelope(b'{"topic":"org.a"}', {**MESSAGE, "t": "own"}, topic_header="t").topic == "own"
    assert in_envelope(b'{"topic":"org.a"}', topic_header="t").topic == "org.a"


def test_a_body_that_only_python_reads_is_an_envelope() -> None:
    odd = in_envelope(b'{"topic":"org.a","msg_id":"x","n":NaN}')
    assert (odd.topic, odd.id) == ("org.a", "x")
    odd = in_envelope(b'{"topic":"org.a","msg_id":"\\ud800","seq_id":[]}')
    assert (odd.topic, odd.id.isascii()) == ("org.a", True)


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        (b"", "not_json", "not JSON"),
        (b"no", "not_json", "not JSON"),
        (b'{"a":"\xff"}', "not_json", "not JSON"),
        (b"[" * 100_000, "not_json", "not JSON"),
        (b"[1]", "not_an_object", r"not an object of JSON: it starts with b'\[1\]'"),
        (b"null", "not_an_object", "not an object of JSON"),
        (b"NaN", "not_an_object", "not an object of JSON"),
    ],
)
def test_a_body_that_is_no_envelope_is_told_as_that(body: bytes, kind: str, text: str) -> None:
    with pytest.raises(Unusable, match=text) as caught:
        in_envelope(body)
    assert (caught.value.kind, caught.value.message.topic, caught.value.message.body) == (kind, "a.b", body)
    assert received(MESSAGE, body).body == body


def test_an_envelope_is_byte_for_byte_fedmsgs_and_headers_stay_outside() -> None:
    message = Message(MSG_ID, "org.a", b'{"b": 1, "a": "\xc3\xbc"}', {"n": 3})
    config = settings(1, publish="/topic/{topic}", format="fedmsg")
    envelopes = envelopes_of(config, lambda: 1795224384.9)
    assert envelopes is not None
    body = envelopes.make(message)
    user = json.loads(body)["username"]
    assert body.decode() == (
        f'{{"i":1,"msg":{{"a":"\\u00fc","b":1}},"msg_id":"{MSG_ID}","timestamp":1795224384,"topic":"org.a",'
        f'"username":"{user}"}}'
    )
    headers = send_headers(message, config)
    assert (headers["n"], headers["content-type"], headers["amqp-message-id"]) == ("3", "application/json", MSG_ID)
    own = settings(1, publish="/topic/{topic}", format="fedmsg", publish_headers={"content-type": "text/json"})
    assert send_headers(message, own)["content-type"] == "text/json"
    assert envelopes_of(settings(1), lambda: 0.0) is None


def test_headers_do_not_count_in_the_bounds_of_an_envelope() -> None:
    envelopes = envelopes_of(settings(1, publish="/queue/x", format="fedmsg"), lambda: 0.0)
    assert envelopes is not None
    message = Message("x", "a", b"{}", {f"x-{number}": "x" * 1000 for number in range(70)})
    envelopes.check(message)
    assert b"x-1" not in envelopes.make(message)


def test_a_topic_that_no_receiver_would_take_can_not_be_sent() -> None:
    config = settings(1, publish="/queue/x", format="fedmsg")
    check(Message("x", "a" * 1024, b"{}"), config)
    with pytest.raises(CannotPublish, match="1024 bytes at most"):
        check(Message("x", "a" * 1025, b"{}"), config)


def sent(message: Message, **given: Any) -> dict[str, str]:
    return send_headers(message, settings(1, publish="/topic/{topic}", **given))


def test_headers_become_texts() -> None:
    headers = sent(Message("x", "a.b", b"", {"n": 3, "f": 0.5, "yes": True, "no": False, "text": "t"}))
    assert headers == {
        "n": "3",
        "f": "0.5",
        "yes": "true",
        "no": "false",
        "text": "t",
        "destination": "/topic/a.b",
        "persistent": "true",
        "amqp-message-id": "x",
    }


def test_the_headers_of_an_earlier_way_are_left_behind() -> None:
    """A consumer may pass on the headers that a message came with."""
    message = received({**MESSAGE, "redelivered": "true", "transaction": "t", "amqp-message-id": "own"})
    headers = sent(Message("new", "c.d", b"", message.headers))
    assert headers == {
        "foo": "bar",
        "amqp-message-id": "own",
        "destination": "/topic/c.d",
        "persistent": "true",
    }


def test_what_is_configured_wins() -> None:
    given: dict[str, Any] = {"persistent": False, "publish_headers": {"amq-msg-type": "text"}, "topic_header": "topic"}
    headers = sent(Message("x", "a.b", b"", {"topic": "no", "amq-msg-type": "no"}), **given)
    assert headers == {
        "topic": "a.b",
        "amq-msg-type": "text",
        "amqp-message-id": "x",
        "destination": "/topic/a.b",
    }


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Message("x", "", b""), "without a topic"),
        (Message("x", "a\nb", b""), "line break"),
        (Message("x", "a", b"x" * 1025), "has 1025 bytes, and max_message_size is 1024"),
    ],
)
def test_what_can_never_be_sent(message: Message, text: str) -> None:
    with pytest.raises(CannotPublish, match=text):
        check(message, settings(1, publish="/queue/x", max_message_size=1024))


def test_without_a_destination_nothing_can_be_sent() -> None:
    with pytest.raises(CannotPublish, match="has no 'publish'"):
        check(Message("x", "a", b""), settings(1))
