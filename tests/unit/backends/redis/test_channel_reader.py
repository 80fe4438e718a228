"""Channels: what is heard comes to the hub, whatever else the server says meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

import pytest

from hub.backends.redis import channel_reader
from hub.backends.redis.channel_reader import ChannelReader
from tests.support import PATIENCE
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

    def waits(self, timeout: float) -> bool:
        return bool(self.answers)


class Slow:
    """A reactor that calls nothing until it is told to."""

    def __init__(self) -> None:
        self.calls: Queue[Callable[[], None]] = Queue()
        self.most = 0

    def callFromThread(self, function: Callable[..., None], *given: Any) -> None:
        self.calls.put(lambda: function(*given))
        self.most = max(self.most, self.calls.qsize())


def reader_of(reactor: Any, *channels: str) -> tuple[ChannelReader, Recorder]:
    reader = ChannelReader(hub_context(settings(1, streams=[], channels=[*channels]), reactor=reactor))
    intake = Recorder()
    reader.start(intake)
    return reader, intake


def test_each_channel_is_confirmed_though_messages_come_between() -> None:
    slow = Slow()
    reader, intake = reader_of(slow, "a", "b")
    line: Any = Scripted([b"subscribe", b"a", 1], [b"message", b"a", b"early"], [b"subscribe", b"b", 2])
    reader.prepare(line)
    assert line.answers == []
    slow.calls.get_nowait()()
    assert intake.bodies == [b"early"]


def test_one_batch_at_a_time_is_on_its_way_to_a_slow_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_reader, "AT_ONCE", 1)
    slow = Slow()
    reader, intake = reader_of(slow, "a")
    line: Any = Scripted(*([b"message", b"a", b"%d" % number] for number in range(200)))

    def run() -> None:
        while line.answers:
            reader.step(line)

    steps = threading.Thread(target=run, daemon=True)
    steps.start()
    for _ in range(200):
        slow.calls.get(timeout=10 * PATIENCE)()
    steps.join(10 * PATIENCE)
    assert intake.bodies == [b"%d" % number for number in range(200)]
    assert slow.most == 1


def test_a_batch_that_is_held_holds_the_next_and_a_stop_ends_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_reader, "AT_ONCE", 1)
    slow = Slow()
    reader, intake = reader_of(slow, "a")
    line: Any = Scripted(*([b"message", b"a", body] for body in (b"1", b"2", b"3")))
    reader.step(line)
    reader.pause()
    slow.calls.get_nowait()()
    assert intake.messages == []
    reader.resume()
    assert intake.bodies == [b"1"]
    reader.step(line)
    waiting = threading.Thread(target=reader.step, args=(line,), daemon=True)
    waiting.start()
    reader.wake()
    waiting.join(10 * PATIENCE)
    assert not waiting.is_alive()
