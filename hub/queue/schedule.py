"""What waits for its time. Pure: the caller brings the clock and the lock."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from hub.message import Message

Item = TypeVar("Item")


@dataclass(slots=True)
class Entry:
    """One message outside the ready window: waiting for a retry, or sorted into its lane."""

    position: int
    message: Message | None
    """``None``: it is to be read from the store when it is due."""
    attempts: int = 0
    """How often it was given to the consumer."""
    failures: int = 0
    """How many of these count towards ``max_attempts``."""
    kills: int = 0
    """How often the hub was killed while a consumer had it in hand."""
    due: float = 0.0
    """Monotonic seconds before which it is not to be tried again."""
    received_at: float | None = None
    """Where ``message`` is ``None``: when it was received, epoch seconds. What was not read since the hub started came
    then or later, or nobody knows."""

    @property
    def since(self) -> float | None:
        """When it was received."""
        return self.received_at if self.message is None else self.message.received_at

    @property
    def size(self) -> int:
        """Bytes of its body in memory."""
        return len(self.message.body) if self.message is not None else 0

    def let_go(self) -> None:
        """Of its message, which the store has."""
        self.received_at, self.message = self.since, None

    def may_follow(self, before: Entry) -> bool:
        """Whether one worker may take both. Who is suspected of having killed the hub comes alone."""
        alike = (before.attempts, before.failures) == (self.attempts, self.failures)
        if not alike or before.kills or self.kills:
            return False
        if before.message is None:
            return self.message is None  # they are read together, and sorted for it
        return self.message is not None and before.position < self.position


class Delays(Generic[Item]):
    """Items by the time at which they are due, in seconds of the caller's monotonic clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_due(self) -> float | None:
        """When the first one is due."""
        return self._heap[0][0] if self._heap else None

    def add(self, due: float, item: Item) -> None:
        """Hold it until then. Items of one time come out in the order in which they went in."""
        heapq.heappush(self._heap, (due, next(self._order), item))

    def first(self, now: float) -> Item | None:
        """What ``pop`` would return; it stays."""
        return self._heap[0][2] if self._heap and self._heap[0][0] <= now else None

    def pop(self, now: float) -> Item | None:
        """The first one that is due, or ``None``."""
        if self._heap and self._heap[0][0] <= now:
            return heapq.heappop(self._heap)[2]
        return None
