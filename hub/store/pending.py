"""Pending batches: appended, not committed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from hub.store import RoutedBatch

Stored = Callable[[], None]
Item = tuple[RoutedBatch, Stored | None]


class Pending:
    """Pending batches, the oldest first. Thread-safe.

    :param limit: bytes above which the disk does not keep up.
    :ivar size: bytes. :ivar swamped: whether the limit was exceeded, and half of it not reached since.
    """

    def __init__(self, limit: int) -> None:
        self.size = 0
        self.swamped = False
        self._limit = limit
        self._items: deque[Item] = deque()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def append(self, batch: RoutedBatch, stored: Stored | None) -> bool:
        """Add a batch. Returns whether it makes the store swamped."""
        with self._lock:
            self._items.append((batch, stored))
            self.size += batch.size
            too_many = self.size > self._limit and not self.swamped
            self.swamped = self.swamped or too_many
            return too_many

    def all(self) -> list[Item]:
        """Return a copy of the list."""
        with self._lock:
            return list(self._items)

    def drop(self, count: int) -> bool:
        """Remove the oldest ``count``, which are committed. Returns whether the store is no longer swamped."""
        with self._lock:
            for _ in range(count):
                batch, _stored = self._items.popleft()
                self.size -= batch.size
            few = self.swamped and self.size < self._limit // 2
            self.swamped = self.swamped and not few
            return few
