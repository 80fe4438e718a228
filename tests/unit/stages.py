"""A stage in memory, and a pool whose threads are stepped by the test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub.errors import Unavailable
from hub.interfaces import Bury, Drop
from hub.message import Message
from hub.pipeline import Verdict


class MemoryStage:
    """Decides by the first word of the topic: ``drop``, ``bury``, ``mark``, ``fail``; all else passes.

    :ivar away: why it can't tell now; empty: it can. :ivar seen: the ids of what it was asked for.
    """

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.away = ""
        self.seen: list[list[str]] = []

    def check(self, messages: Sequence[Message]) -> list[Verdict]:
        """By the topics."""
        if self.away:
            raise Unavailable(self.away)
        self.seen.append([message.id for message in messages])
        return [self._verdict(message) for message in messages]

    def _verdict(self, message: Message) -> Verdict:
        match message.topic.split(".")[0]:
            case "drop":
                return Drop(f"dropped by {self.name}")
            case "bury":
                return Bury(f"buried by {self.name}")
            case "mark":
                return msgspec.structs.replace(message, headers={**message.headers, "marked": self.name})
            case "fail":
                raise KeyError("a bug")
        return message


class SteppedPool:
    """Runs a call when the test says so, in any order."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], list[Verdict]], Deferred[list[Verdict]]]] = []

    def run(self, call: Callable[[], list[Verdict]]) -> Deferred[list[Verdict]]:
        """Later."""
        done: Deferred[list[Verdict]] = Deferred()
        self.waiting.append((call, done))
        return done

    def step(self, which: int = 0) -> None:
        """One of those that wait, now."""
        call, done = self.waiting.pop(which)
        try:
            result = call()
        except Exception:
            done.errback(Failure())
        else:
            done.callback(result)

    def run_all(self) -> None:
        """All of them, the last one first."""
        while self.waiting:
            self.step(-1)
