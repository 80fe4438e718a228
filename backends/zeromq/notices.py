"""Log lines about a peer's doings, which a peer must not be able to flood the log with."""

from __future__ import annotations

import logging
from typing import Any

INTERVAL = 60.0
"""Seconds for which a kind of line is held back once one was written."""


class Notices:
    """The first line of a kind is written at once; those of the next minute become one line with their number.

    :param reactor: for ``callLater`` only.
    """

    def __init__(self, log: logging.LoggerAdapter[logging.Logger], reactor: Any, interval: float = INTERVAL) -> None:
        self._log = log
        self._reactor = reactor
        self._interval = interval
        self._held: dict[str, tuple[int, int, str]] = {}
        self._timers: dict[str, Any] = {}

    def say(self, kind: str, level: int, text: str) -> None:
        """Log it, or count it. ``kind`` must come from a fixed set, ``text`` be escaped and short."""
        if kind in self._timers:
            self._held[kind] = (self._held.get(kind, (0, 0, ""))[0] + 1, level, text)
            return
        self._log.log(level, "%s", text, extra={"action": _verb(kind)})
        self._timers[kind] = self._reactor.callLater(self._interval, self._release, kind)

    def _release(self, kind: str) -> None:
        del self._timers[kind]
        count, level, text = self._held.pop(kind, (0, 0, ""))
        if count:
            more = f" (and {count - 1} more like it in the last {self._interval:.0f} s)" if count > 1 else ""
            self._log.log(level, "%s%s", text, more, extra={"action": _verb(kind)})
            self._timers[kind] = self._reactor.callLater(self._interval, self._release, kind)

    def stop(self) -> None:
        """Write what is held back, and no more timers."""
        for kind, timer in list(self._timers.items()):
            timer.cancel()
            self._release(kind)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _verb(kind: str) -> str:
    """The first word: what follows says which peer, or which fault."""
    return kind.partition(" ")[0]
