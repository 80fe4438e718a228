"""Gate: lets readers in, and holds them back while the memory map is replaced or closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Gate for readers. Thread-safe, but not reentrant: a reader that enters twice may deadlock."""

    def __init__(self) -> None:
        self._inside = 0
        self._open = True
        self._changed = threading.Condition()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Context of a reader that is inside."""
        with self._changed:
            self._changed.wait_for(lambda: self._open)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                if not self._inside:
                    self._changed.notify_all()

    @contextmanager
    def shut(self, timeout: float) -> Iterator[bool]:
        """Context without readers. Its value: whether all have left within ``timeout`` seconds."""
        with self._changed:
            self._open = False
            empty = self._changed.wait_for(lambda: not self._inside, timeout)
        try:
            yield empty
        finally:
            with self._changed:
                self._open = True
                self._changed.notify_all()
