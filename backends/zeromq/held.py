"""Memory of what ZeroMQ holds while the backend is paused, bounded.

ZeroMQ counts the messages that wait in a socket, and never their bytes; an incomplete message does not even count. So
the growth of the whole process is measured, which sees all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

PERIOD = 0.5
"""Seconds between two looks."""


class Held:
    """Watches the memory from :meth:`begin` to :meth:`end`.

    :param limit: bytes that the process may grow by.
    :param resident: bytes of memory, or ``None``.
    :param exceeded: called once, with the growth in bytes, when it is more than that.
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
        """Nothing is read from now on."""
        self._before = self._resident()
        if self._before is not None and not self._loop.running:
            self._loop.start(PERIOD, now=False)

    def end(self) -> None:
        """It is read again, or all is closed."""
        if self._loop.running:
            self._loop.stop()

    def _look(self) -> None:
        now = self._resident()
        assert self._before is not None
        if now is not None and now - self._before > self._limit:
            self.end()
            self._exceeded(now - self._before)
