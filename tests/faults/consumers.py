"""Consumers that write down what they do, where it outlives a kill -9. Loaded by the hub as ``consumers.py:Class``."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from hub import Consumer, Message, Reject, Retry
from hub.consumer import Context
from hub.settings import Duration, FilePath, Settings, setting


class RecordingConfig(Settings):
    """Settings of all of them."""

    records: FilePath = setting(..., "The directory of the records.")
    pause: Duration = setting("0s", "How long each message takes.")
    poison: list[int] = setting([], "Numbers that kill the hub.")


class Recording(Consumer):
    """Writes ``done N`` for each message, before it returns."""

    Config = RecordingConfig
    config: RecordingConfig

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        path = self.config.records / f"consumer-{context.name}"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._met: set[int] = set()

    def consume(self, message: Message) -> None:
        """Do it, then write it down."""
        number = int(message.json()["n"])
        if self.config.pause:
            time.sleep(self.config.pause)
        self.handle(number)
        self.write("done", number)

    def write(self, word: str, number: int) -> None:
        """One line, in one call: no kill tears it."""
        os.write(self._descriptor, b"%s %d\n" % (word.encode(), number))

    def first_time(self, number: int) -> bool:
        """True if this process meets it for the first time."""
        first = number not in self._met
        self._met.add(number)
        return first

    def handle(self, number: int) -> None:
        """What a subclass does beside."""


class Fickle(Recording):
    """Wants some of its messages later, fails at some, and can't do some at all."""

    def handle(self, number: int) -> None:
        """By the number."""
        if number % 50 == 1:
            raise Reject("by its number")
        if number % 70 == 2:
            raise RuntimeError("always")
        if number % 10 in (1, 2) and self.first_time(number):
            if number % 20 < 10:
                raise Retry(delay=0.02)
            raise RuntimeError("the first time")


class Gated(Recording):
    """Does nothing until there is a file ``gate`` among the records."""

    def consume(self, message: Message) -> None:
        """Wait for it."""
        gate: Path = self.config.records / "gate"
        while not gate.exists():
            time.sleep(0.05)
        super().consume(message)


class Killer(Gated):
    """Some messages kill the hub."""

    def handle(self, number: int) -> None:
        """By the number."""
        if number in self.config.poison:
            self.write("killed", number)
            os.kill(os.getpid(), signal.SIGKILL)


class Publishing(Recording):
    """Sends a message out for every even number; some of these fail after it, once or always."""

    def handle(self, number: int) -> None:
        """By the number."""
        if number % 2:
            return
        body: dict[str, Any] = {"n": number}
        self.context.publish("out", body)
        if number % 20 == 6:
            raise Reject("by its number, and what it sent must not go out")
        if number % 20 == 8 and self.first_time(number):
            self.write("failed", number)
            raise Retry(delay=0.02)


class PublishingGated(Gated, Publishing):
    """Nothing, until there is a gate."""


class Raising(Recording):
    """Raises something for every message, by turns of all kinds."""

    def handle(self, number: int) -> None:
        """Raise."""
        raise (ValueError, KeyError, MemoryError, SystemExit)[number % 4](f"not {number}")
