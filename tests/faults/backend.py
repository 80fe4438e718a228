"""A bus that numbers its messages, and writes down what it offered, what was confirmed, and what was published.

Loaded by the hub as ``backend.py:Counting``. Unless told to, it never offers a number twice, not even after a kill:
what is handled twice was given twice by the hub.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count, groupby
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater

from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.settings import Duration, FilePath, Settings, setting

TICK = 0.01
"""Seconds between two batches."""


class CountingConfig(Settings):
    """Its settings."""

    records: FilePath = setting(..., "The directory of the records.")
    rate: int = setting(1000, "Messages a second.", ge=100)
    total: int = setting(1_000_000_000, "No number beyond that one.", ge=0)
    padding: int = setting(0, "Bytes in each body, beside the number.", ge=0)
    redeliver: bool = setting(False, "Offer again, after a restart, what was not confirmed, as a broker does.")
    prefetch: int = setting(1_000_000_000, "No more unconfirmed messages than that at once.", ge=1)
    slow_start: Duration = setting("0s", "How long its start takes.")


class Counting:
    """See the module. The topic of message N is ``t.`` and N modulo 8."""

    Config = CountingConfig
    confirms = True
    holds_back = True

    def __init__(self, context: BackendContext) -> None:
        self._context = context
        self._config: CountingConfig = context.config
        self._padding = b"x" * self._config.padding
        self._files: dict[str, int] = {}
        self._next = 1
        self._again: list[int] = []
        self._unconfirmed: set[int] = set()
        self._received = self._bytes = self._confirmed = 0
        self._running = self._paused = False
        self._intake: Intake | None = None
        self._loop = LoopingCall(self._tick)
        self._loop.clock = context.reactor

    def _write(self, name: str, line: str) -> None:
        if name not in self._files:
            path = self._config.records / name
            self._files[name] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(self._files[name], line.encode())

    def start(self, intake: Intake) -> Deferred[None] | None:
        """Begin to count, where the last hub ended."""
        self._intake = intake
        if not self._config.slow_start:
            self._begin()
            return None
        return deferLater(self._context.reactor, self._config.slow_start, self._begin)

    def _begin(self) -> None:
        offered = _numbers(self._config.records / "offered")
        if self._config.redeliver:
            self._again = sorted(offered - _numbers(self._config.records / "confirmed"))
        self._next = max(offered, default=0) + 1
        self._running = True
        self._loop.start(TICK, now=False)

    def _tick(self) -> None:
        most = min(int(self._config.rate * TICK), self._config.prefetch - len(self._unconfirmed))
        numbers = [] if self._paused or self._intake is None else self._numbers(most)
        if not numbers or self._intake is None:
            return
        self._write_ranges("offered", numbers)
        self._received += len(numbers)
        self._unconfirmed.update(numbers)
        self._intake.receive([self._message(number) for number in numbers], numbers)

    def _numbers(self, most: int) -> list[int]:
        """The next ones, first those that are offered again."""
        numbers, self._again = self._again[:most], self._again[most:]
        stop = min(self._next + most - len(numbers), self._config.total + 1)
        numbers += range(self._next, stop)
        self._next = max(self._next, stop)
        return numbers

    def _write_ranges(self, name: str, numbers: Iterable[int]) -> None:
        self._write(name, "".join(f"{start} {stop}\n" for start, stop in _ranges(numbers)))

    def _message(self, number: int) -> Message:
        body = b'{"n": %d, "padding": "%s"}' % (number, self._padding)
        self._bytes += len(body)
        return Message(f"n-{number}", f"t.{number % 8}", body, {}, self._context.wall(), self._context.name)

    def subscribe(self, patterns: Collection[str]) -> None:
        """Whatever they want."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """See ``subscribe``."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Write them down."""
        self._confirmed += len(tokens)
        self._unconfirmed.difference_update(tokens)
        self._write_ranges("confirmed", tokens)

    def publish(self, message: Message) -> None:
        """Write it down. :raises RuntimeError: the bus is not there yet."""
        if not self._running:
            raise RuntimeError("the bus is not there")
        self._write("published", f"published {message.json()['n']}\n")

    def pause(self) -> None:
        """The bus keeps them."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False

    def stop(self) -> None:
        """Nothing is held."""
        self._running = False
        if self._loop.running:
            self._loop.stop()

    def status(self) -> Mapping[str, Any]:
        """As the hub's status shows it."""
        numbers = {"received": self._received, "bytes": self._bytes, "confirmed": self._confirmed}
        return {"state": "connected", "malformed": {}, "paused": self._paused, **numbers}


def _ranges(numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of numbers, each from the first up to, not including, the second."""
    at = count()
    for _, run in groupby(numbers, lambda number: number - next(at)):
        found = list(run)
        yield found[0], found[-1] + 1


def _numbers(path: Path) -> set[int]:
    """All numbers in that record."""
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    ranges = [line.split() for line in lines]
    return {number for start, stop in ranges for number in range(int(start), int(stop))}
