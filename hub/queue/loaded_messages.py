"""Loaded messages: the first of those that wait in order, in memory; the others are unread. Pure: no lock."""

from __future__ import annotations

from abc import ABC, abstractmethod

from hub.queue.ack_state import AckState
from hub.queue.ages import AgeLimit
from hub.queue.batches import Batches
from hub.queue.policy import Window

EXPIRE_AT_ONCE = 1000
"""Batches that are searched under the queue's lock, which takes less than a millisecond."""


class LoadedMessages(ABC):
    """The bounds of what is loaded, and what is dropped of it.

    :param acks: settles dropped messages. :param window: the bounds; ``None``: all messages are in memory.
    :ivar batches: the messages in memory.
    :ivar unread_size: bytes of unread messages, an estimate: those settled since are still counted.
    :ivar oldest_unread: epoch seconds at which the first unread message was received, or earlier.
    """

    def __init__(self, acks: AckState, window: Window | None) -> None:
        self.batches = Batches()
        self.unread_size = 0
        self.oldest_unread: float | None = None
        self._acks, self._window = acks, window

    @property
    @abstractmethod
    def unread_count(self) -> int:
        """Number of unread positions; some may be settled."""

    @property
    def _count(self) -> int:
        """Number of messages that take room in the window."""
        return len(self.batches)

    @property
    def _size(self) -> int:
        """Bytes that they take."""
        return self.batches.size

    def wanted(self) -> int:
        """Number of messages to read from the store now; 0 while half the window is full."""
        window = self._window
        if window is None or not self.unread_count:
            return 0
        if len(self.batches) > window.count // 2 or self._size > window.size // 2:
            return 0
        return max(0, min(window.count - self._count, self.unread_count))

    def room(self) -> int:
        """Most bytes to read from the store now."""
        return max(1, self._window.size - self._size) if self._window else 0

    @abstractmethod
    def drop_loaded(self, count: int) -> int:
        """Settle the oldest ``count`` messages in memory. Returns the number of those that were never tried."""

    def drop_expired(self, limit: AgeLimit) -> int:
        """Settle messages in memory that are too old. Returns their number, which is bounded."""
        dropped = self.drop_loaded(self.batches.older(limit, EXPIRE_AT_ONCE))
        self._acks.counters.dropped_expired += dropped
        return dropped
