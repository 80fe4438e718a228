"""Answers that are large, to a real client; and to one that does not read."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from hub.control.dead_letters import PIECE
from hub.deadletter import DeadLetter
from hub.errors import OrderRefused, Unavailable
from hub.message import Message
from tests.support import wait_until
from tests.unit.control_hub import ControlledHub


def test_many_dead_letters_come_in_pieces_and_are_one_document(hub: ControlledHub) -> None:
    for number in range(5):
        text = str(number) * PIECE
        hub.bury("c", DeadLetter(Message(str(number), "a", text.encode()), "no", 1, 0.0))
    found = hub.client().get("/dead/c")["dead_letters"]
    assert [letter["id"] for letter in found] == ["0", "1", "2", "3", "4"]
    assert found[4]["body"] == "4" * PIECE


def test_a_client_that_does_not_read_dead_letters_costs_a_piece(
    hub: ControlledHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    store_letters = hub.store.dead_letters

    def counted(name: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        read.append(after)
        return store_letters(name, after, size)

    monkeypatch.setattr(hub.store, "dead_letters", counted)
    for number in range(100):
        hub.bury("c", DeadLetter(Message(str(number), "a", b"x" * PIECE), "no", 1, 0.0))
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(hub.path))
        connection.sendall(b"GET /dead/c HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: read)
        for _ in range(10):
            hub.client().get("/status")
        assert len(read) < 10


def test_dead_letters_that_can_not_be_read_end_the_answer(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        raise OSError("the disk")

    monkeypatch.setattr(hub.store, "dead_letters", broken)
    with pytest.raises((OrderRefused, Unavailable)):
        hub.client().get("/dead/c")
