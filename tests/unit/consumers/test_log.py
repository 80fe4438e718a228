"""What the log consumer prints."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumers.log import line, pretty
from hub.message import Message


def test_a_line_has_the_topic_and_the_beginning_of_the_payload() -> None:
    shown = line(Message("1", "a.b", b'{"msg":{"x":"12345678"}}', received_at=0.0), 10).plain
    assert shown[8:] == ' a.b {"x":"1234'


@given(st.binary(max_size=60), st.text(max_size=20))
def test_nothing_in_a_message_reaches_the_terminal_as_a_control(body: bytes, topic: str) -> None:
    message = Message("1", topic, body, received_at=0.0)
    assert line(message, 1000).plain.isprintable()
    assert all(part.isprintable() for part in pretty(message).split("\n"))


def test_pretty_indents_json_and_shows_what_is_none() -> None:
    assert pretty(Message("1", "a", b'{"a":[1]}')) == '{\n  "a": [\n    1\n  ]\n}'
    assert pretty(Message("1", "a", b"\xffx\x07")) == "\\xffx\\x07"
