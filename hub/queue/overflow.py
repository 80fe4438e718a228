"""When a queue is full, and what becomes of its messages then. Pure: no lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hub.message import Message
from hub.queue.books import Books
from hub.queue.refill import drop_ready, drop_unread
from hub.queue.waiting import LaneOf, Waiting, Window

WINDOW = Window(8192, 4 << 20)
"""Of a queue whose store has the rest: enough that a thread seldom waits for the disk, small enough for 100 queues."""

Measure = Literal["block", "drop_oldest", "drop_newest"]
"""What a full queue does: have the buses held back, or drop, and count it."""


@dataclass(frozen=True)
class QueuePolicy:
    """What a queue does with its messages; a reload may replace it.

    :ivar max_backlog: messages; ``None``: no bound. :ivar max_bytes: of bodies; ``None``: no bound.
    :ivar max_age: seconds after which a message is dropped; ``None``: never.
    """

    max_backlog: int | None = 100_000
    max_bytes: int | None = 128 << 20
    overflow: Measure = "drop_newest"
    lane_of: LaneOf | None = None
    """Messages of one lane are handled one at a time, in order; ``None``: no lanes."""
    max_age: float | None = None
    window: Window = WINDOW
    max_kills: int = 3
    """How often the hub may be killed while a message is in hand, until it is a dead letter."""


class Overflow:
    """Kept by the queue, under its lock.

    :ivar draining: let nothing in.
    :ivar squeezed: the store is larger than it may be: behave as if full.
    :ivar full: whether the bus was asked to be held back, and there is no room since.
    """

    def __init__(self, policy: QueuePolicy, books: Books, waiting: Waiting) -> None:
        self.policy = policy
        self.draining = False
        self.squeezed = False
        self.full = False
        self._books = books
        self._waiting = waiting

    def over(self, count: int, size: int) -> bool:
        """Whether so much more would be too much."""
        return self.squeezed or self._beyond(count, size)

    def _beyond(self, count: int, size: int) -> bool:
        policy, waiting = self.policy, self._waiting
        if policy.max_backlog is not None and self._books.counters.backlog + count > policy.max_backlog:
            return True
        if policy.max_bytes is None or waiting.size + waiting.unread_size + size <= policy.max_bytes:
            return False
        waiting.ready.recount()
        return waiting.size + waiting.unread_size + size > policy.max_bytes

    def fitting(self, messages: Sequence[Message], size: int, if_room: bool = False) -> tuple[Sequence[Message], int]:
        """Those that are let in, and their bytes.

        :param size: of all of them. :param if_room: none for which another has to go, or a bus be held back.
        """
        if self.draining:
            return (), 0
        bounded = if_room or self.policy.overflow == "drop_newest"
        if not bounded or not self.over(len(messages), size):
            return messages, size
        kept, size = 0, 0
        while kept < len(messages) and not self.over(kept + 1, size + len(messages[kept].body)):
            size += len(messages[kept].body)
            kept += 1
        return messages[:kept], size

    def arrived(self, count: int) -> None:
        """So many were let in: ask for the bus to be held back, or make room for them."""
        if self.draining or self.policy.overflow == "drop_newest" or not self.over(0, 0):
            return
        if self.policy.overflow == "block":
            self.full = True
        else:
            self._drop_oldest(count if self.squeezed else 0)

    def _drop_oldest(self, count: int) -> None:
        """So many, and as many more as the policy wants. What a worker has, or waits for a retry, is not dropped: it
        was begun."""
        waiting, books = self._waiting, self._books
        limit, most = self.policy.max_backlog, self.policy.max_bytes
        while (count > 0 or self._beyond(0, 0)) and (waiting.ready or waiting.behind):
            waiting.ready.recount()
            many = books.counters.backlog - limit if limit is not None else 0
            large = waiting.size + waiting.unread_size - most if most is not None else 0
            surplus = max(1, count, many, waiting.ready.holding(large))
            drop = drop_ready if waiting.ready else drop_unread
            dropped = drop(waiting, books, surplus)
            books.counters.dropped_oldest += dropped
            count -= dropped

    def made_room(self) -> bool:
        """Something was settled. Returns whether that ends a time of being full.

        Only when a quarter is free: a bus that is held back and let go at every message would do little else.
        """
        if not self.full:
            return False
        policy, waiting = self.policy, self._waiting
        many = policy.max_backlog is not None and self._books.counters.backlog > policy.max_backlog * 3 // 4
        large = policy.max_bytes is not None and waiting.size + waiting.unread_size > policy.max_bytes * 3 // 4
        self.full = policy.overflow == "block" and not self.draining and (self.squeezed or many or large)
        return not self.full
