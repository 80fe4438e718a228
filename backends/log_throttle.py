"""Log throttle for lines that a peer provokes, so that no peer can flood the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from hub.throttle import Burst, Throttle

INTERVAL = 60.0
"""Seconds for which further lines of a kind are held back after one was written."""
MOST_KINDS = 1024

Line = tuple[int, str]
"""Level and text of a log line."""


class LogThrottle:
    """Log throttle: writes the first line of a kind at once, and those of the next minute as one line with a count.

    :param reactor: its clock and ``callLater``.
    """

    def __init__(self, log: logging.LoggerAdapter[logging.Logger], reactor: Any, interval: float = INTERVAL) -> None:
        self._log = log
        self._reactor = reactor
        self._interval = interval
        self._throttle = Throttle[Line](1, interval, MOST_KINDS)
        self._timer: Any = None

    def say(self, kind: str, level: int, text: str) -> None:
        """Log the text, or hold it back.

        :param kind: one of a fixed set; its first word is the line's ``action``. :param text: escaped and short.
        """
        now = self._reactor.seconds()
        self._tell(self._throttle.over(now))
        burst = self._throttle.hold(kind, now)
        if burst is None:
            self._write(kind, level, text)
        else:
            burst.last = (level, text)
        self._set_timer(now)

    def stop(self) -> None:
        """Write the lines that are held back, and cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell(self._throttle.over(0.0, final=True))

    def _set_timer(self, now: float) -> None:
        due = self._throttle.due()
        if self._timer is None and due is not None:
            self._timer = self._reactor.callLater(max(0.0, due - now), self._release)

    def _release(self) -> None:
        self._timer = None
        now = self._reactor.seconds()
        self._tell(self._throttle.over(now))
        self._set_timer(now)

    def _tell(self, over: Iterable[Burst[Line]]) -> None:
        for burst in over:
            if burst.last is not None:
                level, text = burst.last
                more = f" (and {burst.held - 1} more like it in the last {self._interval:.0f} s)"
                self._write(str(burst.kind), level, text + (more if burst.held > 1 else ""))

    def _write(self, kind: str, level: int, text: str) -> None:
        """Write a line. Its action is the first word of the kind; the rest names the peer or the fault."""
        self._log.log(level, "%s", text, extra={"action": kind.partition(" ")[0]})
