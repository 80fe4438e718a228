"""Memory limit on the messages that ZeroMQ buffers while the backend is paused.

ZeroMQ limits the number of messages that wait in a socket, never their bytes, and does not count an incomplete message.
So the growth of the whole process is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

PERIOD = 0.5
"""Seconds between two measurements."""


class MemoryLimit:
    """Memory watch that runs from :meth:`begin` to :meth:`end`.

    :param limit: bytes that the process may grow by.
    :param resident: returns the process's resident memory in bytes, or ``None`` if it is unknown.
    :param exceeded: called once, with the growth in bytes, when that exceeds ``limit``.
    """

    def __init__(
        self, reactor: Any, limit: int, resident: Callable[[], int | None], exceeded: Callable[[int], None]
    ) -> None:
        self._limit = limit
        self._resident = resident
        self._exceeded = exceeded
        self._before: int | None = None
        self._loop: Any = LoopingCall(self._look)
        self._loop.clock = reactor

    def begin(self) -> None:
        """Start measuring: the backend reads nothing from now on."""
        self._before = self._resident()
        if self._before is not None and not self._loop.running:
            self._loop.start(PERIOD, now=False)

    def end(self) -> None:
        """Stop measuring: the backend reads again, or is closed."""
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        now = self._resident()
        assert self._before is not None
        if now is not None and now - self._before > self._limit:
            self.end()
            self._exceeded(now - self._before)
