"""A backend with a declared queue, loaded by the hub as ``declaring.py:Declaring``.

It numbers the messages that it puts in, and writes down what was confirmed and what it read. Every tenth is delayed by
an hour; each third comes by a binding.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import LoopingCall

from hub.declarations import DeclaredQueue, QueueReader
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.settings import FilePath, Settings, setting

LATER = 3600.0
AT_ONCE = 20


class DeclaringConfig(Settings):
    """Its settings."""

    records: FilePath = setting(..., "The directory of the records.")
    puts: bool = setting(True, "Put messages in.")
    reads: bool = setting(True, "Read them.")


class Declaring:
    """See the module."""

    Config = DeclaringConfig
    confirms = True
    holds_back = True

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._config: DeclaringConfig = context.config
        self._loop = LoopingCall(self._tick)
        self._loop.clock = context.reactor
        self._next = 1
        self._intake: Intake | None = None
        self._queue: DeclaredQueue | None = None
        self._reader: QueueReader | None = None

    def _write(self, name: str, numbers: Sequence[object]) -> None:
        with (self._config.records / name).open("a") as file:
            file.write("".join(f"{number}\n" for number in numbers))

    def start(self, intake: Intake) -> None:
        """Declare the queue, go on with the numbers."""
        self._intake = intake
        self._next = max(numbers_in(self._config.records / "put"), default=0) + 1
        self._queue = self._context.queues.declare("jobs", durable=True, topics=["bound.#"], kind="jobs")
        if self._config.reads:
            self._reader = self._queue.reader(self._read)
            self._read()
        if self._config.puts:
            self._loop.start(0.005, now=False)

    def _tick(self) -> None:
        assert self._queue is not None
        assert self._intake is not None
        numbers = range(self._next, self._next + AT_ONCE)
        self._next += AT_ONCE
        self._write("put", numbers)
        bound = [number for number in numbers if number % 3 == 0 and number % 10]
        own = [number for number in numbers if number not in bound]
        delays = [0.0 if number % 10 else LATER for number in own]
        self._queue.put([self._message(number, "jobs") for number in own], own, delays=delays)
        self._intake.receive([self._message(number, "bound.x") for number in bound], bound)

    def _message(self, number: int, topic: str) -> Message:
        return Message(str(number), topic, b"{}", {}, self._context.wall(), self._context.name)

    def _read(self) -> None:
        assert self._reader is not None
        while taken := self._reader.take(7):
            self._write("read", [one.current.id for one in taken])
            self._reader.finish(taken[::-1])
            if self._config.puts:  # a backlog is left
                self._context.reactor.callLater(0.02, self._read)
                return

    def subscribe(self, patterns: Collection[str]) -> None:
        """There is no bus."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """There is no bus."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Write down."""
        self._write("confirmed", tokens)

    def publish(self, message: Message) -> None:
        """There is no bus."""

    def pause(self) -> None:
        """It goes on."""

    def resume(self) -> None:
        """It goes on."""

    def stop(self) -> None:
        """Put nothing in any more."""
        if self._loop.running:
            self._loop.stop()

    def status(self) -> Mapping[str, Any]:
        """What every backend says at least."""
        return {"state": "connected", "received": 0, "bytes": 0, "malformed": {}}


def numbers_in(path: Path) -> list[int]:
    """The numbers of a record; the last line may be cut."""
    if not path.exists():
        return []
    text = path.read_text()
    return [int(line) for line in text[: text.rfind("\n") + 1].split()]
