"""What a command reads."""

from __future__ import annotations

import json

from hub.consumers.trigger.standard_input import standard_input
from hub.message import Message


def message(body: bytes) -> Message:
    return Message("1", "a.b", body, {"x": True}, 1.5, "bus")


def test_a_body_is_given_byte_for_byte() -> None:
    assert standard_input(message(b"\x00\xff\n"), "body") == b"\x00\xff\n"
    assert standard_input(message(b"x"), "nothing") == b""


def test_a_message_is_one_line_of_json() -> None:
    row = {"topic": "a.b", "id": "1", "received_at": 1.5, "backend": "bus", "headers": {"x": True}}
    for body, shown in ((b'{"a":\n 1}', {"a": 1}), (b"no\nJSON \xff", "no\nJSON \N{REPLACEMENT CHARACTER}")):
        given = standard_input(message(body), "message")
        assert given.count(b"\n") == 1
        assert json.loads(given) == {**row, "body": shown}
