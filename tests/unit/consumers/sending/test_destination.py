"""The id of a sending is the same for each attempt, and another for all else."""

from __future__ import annotations

import re

from hub import Message
from hub.consumers.sending.destination import Destination, sending_id

THERE = Destination("https://example.org/a", "example.org")
MESSAGE = Message("7", "a.b", b"{}", received_at=1.0)


def test_it_is_the_same_for_the_same_message_whenever_it_comes() -> None:
    again = Message("7", "a.b", b"{}", {"x": "another delivery"}, received_at=2.0, backend="other")
    assert sending_id(MESSAGE, THERE) == sending_id(again, THERE)
    assert re.fullmatch(r"[0-9a-f]{48}", sending_id(MESSAGE, THERE))


def test_it_differs_by_message_and_by_destination() -> None:
    others = [
        sending_id(Message("8", "a.b", b"{}"), THERE),
        sending_id(Message("7", "a.c", b"{}"), THERE),
        sending_id(Message("7", "a.b", b"[]"), THERE),
        sending_id(Message("7a", ".b", b"{}"), THERE),
        sending_id(MESSAGE, Destination("https://example.org/b", "example.org")),
    ]
    assert len({*others, sending_id(MESSAGE, THERE)}) == 6


def test_an_id_of_any_characters_has_one() -> None:
    assert sending_id(Message("\ud800\0\n", "a", b"\xff"), THERE)
