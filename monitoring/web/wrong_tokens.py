"""Wrong tokens: counted, and told to the operator without filling the log."""

from __future__ import annotations

import logging

from hub.interfaces import Clock

EVERY = 60.0
"""Seconds between two lines about one address."""
MOST = 100
"""Addresses that are kept apart; the one first seen goes for a new one."""


class WrongTokens:
    """:ivar count: of all. It only grows. :param monotonic: seconds."""

    def __init__(self, monotonic: Clock, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._log = log
        self._told: dict[str, tuple[float, int]] = {}

    def note(self, who: str) -> None:
        """One more. The token itself is not told: it may be the right one of another hub."""
        self.count += 1
        now = self._monotonic()
        told, untold = self._told.get(who, (None, 0))
        if told is not None and now - told < EVERY:
            self._told[who] = (told, untold + 1)
            return
        if who not in self._told and len(self._told) >= MOST:
            del self._told[next(iter(self._told))]
        self._told[who] = (now, 0)
        more = f", and {untold} times before" if untold else ""
        self._log.warning("a wrong token from %s%s", who, more, extra={"action": "refuse"})
