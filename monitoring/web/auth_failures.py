"""Authentication failures: wrong tokens are counted, and logged without flooding the log."""

from __future__ import annotations

import logging

from hub.interfaces import Clock
from hub.throttle import Throttle

EVERY = 60.0
"""Seconds between two log lines about one address."""
MOST = 100
"""Addresses that are tracked; a new one replaces the one seen first."""


class AuthFailures:
    """Authentication failures of one server.

    :ivar count: wrong tokens in all; it only grows. :param monotonic: returns seconds.
    """

    def __init__(self, monotonic: Clock, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self.count = 0
        self._monotonic = monotonic
        self._log = log
        self._throttle = Throttle[None](1, EVERY, MOST)

    def note(self, address: str) -> None:
        """Count a wrong token. The token is not logged: it may be valid for another hub."""
        self.count += 1
        untold = self._untold()
        before = untold.pop(address, 0)
        self._tell(untold)
        if self._throttle.hold(address, self._monotonic()) is None:
            more = f", and {before} times before" if before else ""
            self._log.warning("a wrong token from %s%s", address, more, extra={"action": "refuse"})

    def flush(self) -> None:
        """Log the numbers of wrong tokens that were not logged one by one. Call it periodically."""
        self._tell(self._untold())

    def _untold(self) -> dict[str, int]:
        return {str(burst.kind): burst.held for burst in self._throttle.over(self._monotonic())}

    def _tell(self, untold: dict[str, int]) -> None:
        for address, count in untold.items():
            self._log.warning("a wrong token from %s, %d times more", address, count, extra={"action": "refuse"})
