"""Channels: what is heard comes to the hub, whatever else the server says meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hub.backends.redis import channel_reader
from hub.backends.redis.channel_reader import ChannelReader
from tests.unit.backends.redis.clients import running, settings
from tests.unit.backends.redis.double import Double
from tests.unit.backends.support import Recorder, hub_context, turn_until


def test_a_message_that_comes_before_the_answer_to_a_ping_is_passed_on(
    server: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_reader, "QUIET", 0.0)
    monkeypatch.setattr(channel_reader, "WAIT", 0.01)
    given = 0

    def publish_first(command: list[bytes]) -> None:
        nonlocal given
        if command[0] == b"PING" and given < 3:
            server.do("PUBLISH", "a.b", given)
            given += 1

    server.refuse = publish_first
    with running(server.port, streams=[], channels=["a.b"]) as (backend, intake):
        turn_until(lambda: given == 3 and len(intake.messages) == 3, "the messages")
        assert intake.bodies == [b"0", b"1", b"2"]
        assert backend.status()["disconnects"] == 0


class Scripted:
    """A line with answers to read."""

    def __init__(self, *answers: Any) -> None:
        self.answers = [*answers]
        self.send: Any = lambda *command: None

    def read(self) -> Any:
        return self.answers.pop(0)


def test_each_channel_is_confirmed_though_messages_come_between() -> None:
    reactor: Any = SimpleNamespace(callFromThread=lambda function, *given: function(*given))
    reader, intake = ChannelReader(hub_context(settings(1, streams=[], channels=["a", "b"]), reactor=reactor)), Recorder()
    reader.start(intake)
    line: Any = Scripted([b"subscribe", b"a", 1], [b"message", b"a", b"early"], [b"subscribe", b"b", 2])
    reader.prepare(line)
    assert line.answers == []
    assert intake.bodies == [b"early"]
