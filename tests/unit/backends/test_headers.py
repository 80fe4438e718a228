"""Headers on a bus that has none: in fedmsg's envelope."""

from __future__ import annotations

import json
from typing import Any

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.fedmsg import MAX_HEADERS, MAX_HEADERS_SIZE, wrap
from hub.backends.zeromq.frames import Parser
from hub.errors import CannotPublish
from hub.message import NO_HEADERS, HeaderValue, Message
from tests.unit.backends.support import Recorder

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def envelope(headers: Any, topic: str = "a.b") -> bytes:
    message = Message("x", topic, b'{"n":1}', headers)
    return wrap(message, number=1, msg_id="2026-x", timestamp=5, username="ann")


def parsed(body: bytes) -> Message:
    parser = Parser("bus", "fedmsg", 1 << 20, Recorder().refuse, lambda *_: None, "o")
    messages: list[Message] = []
    parser.parse([(b"a.b", zmq.Frame(body))], 5.0, messages)
    assert not parser.malformed
    return messages[0]


def test_headers_are_a_key_of_the_envelope_and_come_back() -> None:
    headers = {"traceparent": TRACEPARENT, "x": "J\xfcrgen"}
    body = envelope(headers)
    assert json.loads(body)["headers"] == headers
    message = parsed(body)
    assert (message.headers, message.id, message.body) == (headers, "2026-x", body)


def test_an_envelope_without_headers_is_what_fedmsg_sends() -> None:
    assert set(json.loads(envelope(NO_HEADERS))) == {"i", "msg", "msg_id", "timestamp", "topic", "username"}
    assert parsed(envelope(NO_HEADERS)).headers is NO_HEADERS


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ("{}", {}),
        ("null", {}),
        ("[]", {}),
        ('"x"', {}),
        ("3", {}),
        ('{"a":"b","n":1,"o":null,"l":["x"],"d":{"x":"y"}}', {"a": "b", "n": 1}),
        ('{"n":1,"f":2.0,"t":true,"l":[]}', {"n": 1, "f": 2.0, "t": True}),
        ('{"n":9223372036854775808,"m":9223372036854775807}', {"m": 9223372036854775807}),
        ('{"a":"' + "x" * MAX_HEADERS_SIZE + '"}', {}),
        (json.dumps({f"h{number}": "" for number in range(MAX_HEADERS)}), {f"h{n}": "" for n in range(MAX_HEADERS)}),
        (json.dumps({f"h{number}": "" for number in range(MAX_HEADERS + 1)}), {}),
        ('{"a":' + "[" * 400 + "]" * 400 + "}", {}),
    ],
)
def test_what_is_odd_or_too_large_is_no_header_and_the_message_is_fine(
    headers: str, found: dict[str, HeaderValue]
) -> None:
    message = parsed(b'{"headers":%s,"msg_id":"2026-x"}' % headers.encode())
    assert (message.headers, message.id) == (found, "2026-x")


def test_an_odd_id_leaves_the_headers() -> None:
    assert parsed(b'{"headers":{"a":"b"},"msg_id":3}').headers == {"a": "b"}


@pytest.mark.parametrize(
    "headers",
    [
        {"a": [1]}, {1: "a"}, {"a": None}, {"a": 1 << 63}, {"a": float("nan")}, {"": "a"},
        {"a": "\ud800"}, {"\udfff": "a"},
        {"a": "x" * MAX_HEADERS_SIZE}, {str(number): "" for number in range(MAX_HEADERS + 1)},
    ],
)  # fmt: skip
def test_what_no_receiver_takes_is_told_to_the_publisher(headers: Any) -> None:
    with pytest.raises(CannotPublish):
        envelope(headers)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@given(st.dictionaries(NAME, TEXT | NUMBERS, max_size=10))
def test_what_is_sent_is_what_arrives(headers: dict[str, HeaderValue]) -> None:
    found = parsed(envelope(headers)).headers
    assert {name: repr(value) for name, value in found.items()} == {
        name: repr(value) for name, value in headers.items()
    }
