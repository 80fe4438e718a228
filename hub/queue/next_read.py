"""The next piece of reading for a queue: messages that are only in the store, of its ready window or of a level."""

from __future__ import annotations

from hub.queue.priority_level import PriorityLevel
from hub.queue.work import READ_AT_ONCE, Load, LoadExempted, Shared, Work, loaded

HEAD_BYTES = 256 << 10
"""Bytes after which a reading ends that nobody has asked for."""


class LoadLevel:
    """Work: read the next unread messages of a level. One thread at a time reads."""

    reads = True

    def __init__(self, queue: Shared, level: PriorityLevel) -> None:
        self._queue, self._level = queue, level

    @classmethod
    def needed(cls, queue: Shared, level: PriorityLevel | None) -> LoadLevel | None:
        """Return the work if half of its window is empty."""
        if level is None or not level.wanted():
            return None
        queue.loading = True
        return cls(queue, level)

    def run(self) -> None:
        """Read the messages, one range of positions after the other."""
        queue, level, left = self._queue, self._level, READ_AT_ONCE
        try:
            while left > 0:
                with queue.lock:
                    if not (count := min(left, level.wanted())):
                        break
                    start, stop = next(iter(level.unread))
                    stop, room = min(stop, start + count), level.room()
                runs = queue.store.read(queue.name, start, stop - start, room)
                with queue.lock:
                    left -= max(1, level.fill(start, stop, runs) - start)
        finally:
            loaded(queue)


def next_read(queue: Shared) -> Work | None:
    """Return the next piece of reading that a worker should do. Under the lock, and while no other thread reads."""
    highest = queue.backlog.levels.highest()
    return LoadExempted.needed(queue) or Load.needed(queue) or LoadLevel.needed(queue, highest)


def next_head(queue: Shared) -> Work | None:
    """Return the reading of one priority whose messages all are in the store. As for ``next_read``."""
    ready = queue.backlog.ready
    if ready.behind and not ready.batches:
        return Load.needed(queue, HEAD_BYTES)
    level = next((level for level in queue.backlog.levels if level.unread and not level.batches), None)
    return LoadLevel.needed(queue, level)
