"""Levels: the waiting messages of each priority but the default one, which are in the ready window. Pure: no lock.

A level has its first messages in memory, and ranges of positions for the others, which are in the store. So a high
priority is found at once behind any backlog, at 32 bytes for each change of priority in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from operator import itemgetter

from hub.message import DEFAULT_PRIORITY, PRIORITIES
from hub.queue.ack_state import AckState
from hub.queue.policy import Window
from hub.queue.priority_level import PriorityLevel
from hub.queue.ranges import Ranges
from hub.queue.schedule import Schedule

SHARE = 8
"""Each level holds this part of a queue's window in memory."""


class Levels:
    """The levels of one queue.

    :ivar used: whether there ever was one: without any, the queue has the cost of one without priorities.
    :ivar positions: positions of messages with a level, from the first unread one of the ready window on, which leaves
        them out.
    """

    def __init__(self, acks: AckState, schedule: Schedule, window: Window | None) -> None:
        self.used = False
        self.positions = Ranges()
        self._levels: dict[int, PriorityLevel] = {}
        self._acks, self._schedule = acks, schedule
        self._window = Window(max(1, window.count // SHARE), window.size // SHARE) if window else None

    def __iter__(self) -> Iterator[PriorityLevel]:
        """The levels, the lowest priority first."""
        return (self._levels[priority] for priority in PRIORITIES if priority in self._levels)

    def of(self, priority: int) -> PriorityLevel:
        """The level of a priority, made if there is none."""
        level = self._levels.get(priority)
        if level is None:
            self.used = True
            level = self._levels[priority] = PriorityLevel(priority, self._acks, self._schedule, self._window)
        return level

    def restore(self, rows: Sequence[tuple[int, int, int]], oldest: float | None) -> None:
        """Restore the levels, at the start.

        :param rows: as in :class:`hub.store.CommittedState`.
        :param oldest: epoch seconds before which no message was received.
        """
        for start, stop, priority in rows:
            level = self.of(priority)
            level.oldest_unread = oldest
            self.positions.add(start, stop)
            for first, after in self._acks.unsettled(start, stop):
                level.unread.add(first, after)

    def share_size(self, size: int, count: int) -> int:
        """Give each level its part of the bytes of all unread messages, at the start. Returns the part of the others.

        :param count: number of all unread messages.
        """
        for level in self:
            level.unread_size = size * level.unread.count // count if count else 0
            size, count = size - level.unread_size, count - level.unread.count
        return size

    @staticmethod
    def priority_at(position: int, rows: Sequence[tuple[int, int, int]]) -> int:
        """The priority of a position. :param rows: as in ``restore``."""
        at = bisect_right(rows, position, key=itemgetter(0)) - 1
        return rows[at][2] if at >= 0 and position < rows[at][1] else DEFAULT_PRIORITY

    def highest(self) -> PriorityLevel | None:
        """The highest level that has messages."""
        if self.used:
            for priority in reversed(PRIORITIES):
                if (level := self._levels.get(priority)) is not None and level:
                    return level
        return None

    @property
    def size(self) -> int:
        """Bytes of the bodies in memory."""
        return sum([level.batches.size for level in self._levels.values()])

    @property
    def unread_size(self) -> int:
        """Bytes of the unread messages, an estimate."""
        return sum([level.unread_size for level in self._levels.values()])

    @property
    def first_unread(self) -> int | None:
        """The first unread position; ``None``: all are in memory."""
        return min([level.unread.first for level in self._levels.values() if level.unread], default=None)

    def oldest_unread(self) -> float | None:
        """Epoch seconds before which no unread message was received; ``None``: there is none."""
        found = [level.oldest_unread for level in self if level.unread and level.oldest_unread is not None]
        return min(found, default=None)
