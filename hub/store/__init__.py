"""Where messages and dead letters are kept: the interface. The engines are in the modules beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.deadletter import DeadLetter
from hub.message import Message


@dataclass(frozen=True)
class RoutedBatch:
    """One turn of a backend's reader, with its routes frozen: the unit that a store appends.

    :ivar routes: for each queue, the messages that go to it, in the order of arrival. A queue that wants all of them
        has ``messages`` itself, not a copy.
    """

    messages: Sequence[Message]
    routes: Sequence[tuple[str, Sequence[Message]]]


class Store(Protocol):
    """Thread-safe. A memory store forgets at the end; a durable one is a drop-in beside it."""

    def append(self, batch: RoutedBatch, stored: Callable[[], None]) -> None:
        """Keep a batch.

        :param stored: called once, in any thread, when it is safe with us; only then may its sender be told.
        """

    def bury(self, queue: str, letter: DeadLetter) -> None:
        """Keep a dead letter."""

    def dead_letters(self, queue: str) -> Sequence[DeadLetter]:
        """A copy of those that are kept, the oldest first."""

    def lost_dead_letters(self, queue: str) -> int:
        """How many had to be given up for newer ones; only grows."""

    def limit_dead_letters(self, queue: str, count: int) -> None:
        """Keep that many at the most, from now on."""

    def close(self) -> None:
        """The last call."""
