"""The oldest messages of a queue, which are dropped first when it is full. Pure: no lock."""

from __future__ import annotations

from hub.message import DEFAULT_PRIORITY
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery, Entry
from hub.queue.priority_level import PriorityLevel
from hub.queue.ready import ReadyWindow

Rank = tuple[int, int]
"""Priority and position: lower for a message that is dropped earlier."""


class Oldest:
    """The messages of a backlog that were never tried, in the order in which they are dropped: the lowest priority
    first, then the lowest position, whether a message waits in order, was given back, or is set aside.

    :param acks: settles dropped messages.
    """

    def __init__(self, acks: AckState, backlog: Backlog) -> None:
        self._acks = acks
        self._backlog = backlog

    def __bool__(self) -> bool:
        return self._in_order() is not None or self._alone() is not None

    def drop(self, count: int, size: int) -> int:
        """Settle about ``count`` messages, or as many as have ``size`` bytes. Returns their number. There are some."""
        lowest, alone, dropped = self._in_order(), self._alone(), 0
        while alone is not None and (lowest is None or _rank(alone) < lowest[0]):
            size -= self._drop_alone(alone)
            dropped += 1
            if dropped >= count and size <= 0:
                return dropped
            alone = self._alone()
        if dropped or lowest is None:
            return dropped
        (priority, position), waiting = lowest
        most = max(1, count, waiting.batches.holding(size))
        if alone is not None and alone.priority == priority:
            most = min(most, alone.position - position)
        return waiting.drop_oldest(most)

    def _in_order(self) -> tuple[Rank, ReadyWindow | PriorityLevel] | None:
        """Of the messages that wait in order, the rank of the first one, and where it is."""
        ready = self._backlog.ready
        level = next((level for level in self._backlog.levels if level), None)
        if (ready.batches or ready.behind) and (level is None or level.priority > DEFAULT_PRIORITY):
            head = ready.batches.head
            return (DEFAULT_PRIORITY, ready.loaded if head is None else head[0]), ready
        if level is None:
            return None
        head = level.batches.head
        return (level.priority, level.unread.first if head is None else head[0]), level

    def _alone(self) -> Entry | Delivery | None:
        """The first one of those that are set aside or were given back."""
        entry, delivery = self._backlog.schedule.first_untried, self._backlog.aside.first_untried
        if entry is None or (delivery is not None and _rank(delivery) < _rank(entry)):
            return delivery
        return entry

    def _drop_alone(self, one: Entry | Delivery) -> int:
        """Settle a message that is set aside or was given back. Returns the bytes of its body in memory."""
        self._acks.settle(one.position, one.position + 1)
        if isinstance(one, Entry):
            self._backlog.schedule.discard(one.position)
            return one.size
        self._backlog.aside.remove(one)
        return len(one.current.body)


def _rank(one: Entry | Delivery) -> Rank:
    return one.priority, one.position
