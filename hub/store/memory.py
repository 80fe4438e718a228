"""A store that forgets: what a hub without durability needs, and what tests use."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from hub.deadletter import DeadLetter
from hub.store import RoutedBatch

DEFAULT_LIMIT = 10_000


class _Graveyard:
    def __init__(self, limit: int) -> None:
        self.letters: deque[DeadLetter] = deque(maxlen=limit)
        self.lost = 0


class MemoryStore:
    """See :class:`hub.store.Store`. The messages themselves are kept by the queues; here are the dead letters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graveyards: dict[str, _Graveyard] = {}

    def append(self, batch: RoutedBatch, stored: Callable[[], None]) -> None:
        """Safe at once, or as safe as it will ever be."""
        stored()

    def bury(self, queue: str, letter: DeadLetter) -> None:
        """Keep it; the oldest goes where there are too many."""
        with self._lock:
            graveyard = self._graveyard(queue)
            graveyard.lost += len(graveyard.letters) == graveyard.letters.maxlen
            graveyard.letters.append(letter)

    def dead_letters(self, queue: str) -> Sequence[DeadLetter]:
        """The oldest first."""
        with self._lock:
            return list(self._graveyard(queue).letters)

    def lost_dead_letters(self, queue: str) -> int:
        """Only grows."""
        with self._lock:
            return self._graveyard(queue).lost

    def limit_dead_letters(self, queue: str, count: int) -> None:
        """The oldest beyond it go now."""
        with self._lock:
            graveyard = self._graveyard(queue)
            graveyard.lost += max(0, len(graveyard.letters) - count)
            graveyard.letters = deque(graveyard.letters, maxlen=count)

    def close(self) -> None:
        """Nothing to do."""

    def _graveyard(self, queue: str) -> _Graveyard:
        return self._graveyards.setdefault(queue, _Graveyard(DEFAULT_LIMIT))
