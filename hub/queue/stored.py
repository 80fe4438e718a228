"""The stored part of a queue: dead letters, in-flight slots and committed counters. Thread-safe."""

from __future__ import annotations

from collections.abc import Sequence

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters, QueueStats
from hub.store import Slot, Store


class StoredQueue:
    """The stored part of a queue, open or not.

    :ivar name: name of the queue. :ivar durable: whether it is in a store on the disk.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self.durable = store.durable
        self._store = store

    def is_in(self, store: Store) -> bool:
        """Tell whether the queue is in that store."""
        return self._store is store

    @property
    def outlives_hub(self) -> bool:
        """True if the queue is there after a restart of the hub."""
        return self.durable

    def changed(self) -> None:
        """Notify the store that the journal has changed. Cheap."""
        self._store.changed(self.name)

    def slot(self) -> Slot:
        """A slot in which one worker records its messages in flight."""
        return self._store.slot(self.name)

    def created_at(self) -> float:
        """Epoch seconds at which the queue was created."""
        return self._store.created_at(self.name)

    def stats(self) -> QueueStats:
        """Committed numbers of a queue that is not open."""
        return self._store.stats(self.name)

    def shown(self) -> Counters | None:
        """Counters that survive a kill of the hub. ``None``: show those of the open queue."""
        return self._store.shown(self.name)

    def delete(self) -> None:
        """Delete the queue with the next commit. It must not be used afterwards."""
        self._store.delete(self.name)

    def flush(self, timeout: float) -> bool:
        """Wait until the journal is committed. Returns whether it is. :param timeout: seconds."""
        return self._store.flush(timeout)

    # -- dead letters

    def dead_letters(self, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """Dead letters, the oldest first.

        :param after: return only higher numbers. :param size: about so many bytes; ``None``: all.
        """
        return self._store.dead_letters(self.name, after, size)

    def dead_letter(self, number: int) -> DeadLetter | None:
        """The dead letter with that number; ``None``: it is not kept."""
        return self._store.letter(self.name, number)

    def remove_letters(self, numbers: Sequence[int], again: bool = False) -> None:
        """Remove dead letters. :param again: whether they were queued again."""
        self._store.remove_letters(self.name, numbers, again)

    @property
    def kept_letters(self) -> int:
        """Number of dead letters that are kept."""
        return self._store.kept_dead_letters(self.name)

    @property
    def lost_letters(self) -> int:
        """Number of dead letters that were evicted for newer ones; only grows."""
        return self._store.lost_dead_letters(self.name)

    def limit_letters(self, count: int, size: int | None, age: float | None) -> None:
        """Limit the dead letters from now on. :param size: bytes of all. :param age: seconds."""
        self._store.limit_dead_letters(self.name, count, size, age)
