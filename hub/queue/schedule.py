"""What waits for its time, and what waits for its turn. Pure: the caller brings the clock and the lock."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Hashable, Sequence
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

    def let_go(self) -> None:
        """Of its message, which the store has."""
        self.received_at, self.message = self.since, None

    def may_follow(self, before: Entry) -> bool:
        """Whether one worker may take both. Who is suspected of having killed the hub comes alone."""
        alike = (before.attempts, before.failures) == (self.attempts, self.failures)
        whole = before.message is not None and self.message is not None
        return alike and whole and not (before.kills or self.kills) and before.position < self.position


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


class Lanes:
    """Messages by key: one key's messages are handed out in order, one run at a time; keys run in parallel.

    A lane is busy from ``take`` to ``release``; held, until it is due, where its first message waits for a retry.
    """

    def __init__(self) -> None:
        self._lanes: dict[Hashable, deque[Entry]] = {}
        self._free: deque[Hashable] = deque()
        self._held: Delays[tuple[Hashable]] = Delays()
        self._count = 0

    def __len__(self) -> int:
        """Messages in all lanes."""
        return self._count

    @property
    def held(self) -> int:
        """How many lanes wait for the retry of their first message."""
        return len(self._held)

    @property
    def next_due(self) -> float | None:
        """When the first held lane may go on."""
        return self._held.next_due

    def add(self, key: Hashable, entry: Entry) -> None:
        """At the end of its lane."""
        if key not in self._lanes:
            self._lanes[key] = deque()
            self._free.append(key)
        self._lanes[key].append(entry)
        self._count += 1

    def take(self, limit: int, now: float) -> tuple[Hashable, list[Entry]] | None:
        """A run from a free lane, which is busy from now on. One that was tried before comes alone."""
        while (held := self._held.pop(now)) is not None:
            self._free.append(held[0])
        while self._free and (due := self._lanes[self._free[0]][0].due) > now:
            self._held.add(due, (self._free.popleft(),))
        if not self._free:
            return None
        key = self._free.popleft()
        lane = self._lanes[key]
        run = [lane.popleft()]
        while len(run) < limit and lane and not run[0].attempts and not lane[0].attempts:
            run.append(lane.popleft())
        self._count -= len(run)
        return key, run

    def release(self, key: Hashable) -> None:
        """What was taken is settled: the lane is free again, or gone when empty."""
        if self._lanes[key]:
            self._free.append(key)
        else:
            del self._lanes[key]

    def put_back(self, key: Hashable, entries: Sequence[Entry], due: float) -> None:
        """The rest of a run, in order, before all others of its lane, which is held until then if it was tried."""
        self._lanes[key].extendleft(reversed(entries))
        self._count += len(entries)
        if entries[0].attempts:
            self._held.add(due, (key,))
        else:
            self._free.append(key)

    def drop(self) -> list[Entry]:
        """All that were never tried, in no order."""
        dropped: list[Entry] = []
        for key, lane in self._lanes.items():
            dropped += [entry for entry in lane if not entry.attempts]
            self._lanes[key] = deque([entry for entry in lane if entry.attempts])
        self._count -= len(dropped)
        for key in [key for key in self._free if not self._lanes[key]]:
            del self._lanes[key]
        self._free = deque([key for key in self._free if key in self._lanes])
        return dropped
