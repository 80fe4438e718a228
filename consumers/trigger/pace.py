"""How often commands are begun."""

from __future__ import annotations

import threading

from hub.consumers.sending.rate import parse_rate
from hub.interfaces import Clock


class Pace:
    """Spreads beginnings evenly over time. Thread-safe.

    :param rate: as written, ``"60/m"``; ``None``: no limit. :param monotonic: a clock, in seconds.
    """

    def __init__(self, rate: str | None, monotonic: Clock) -> None:
        self._interval = 0.0 if rate is None else 1.0 / parse_rate(rate)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next = float("-inf")

    def wait(self, stopping: threading.Event) -> bool:
        """Wait until one may begin. :returns: false if the consumer is to end before."""
        if not self._interval:
            return True
        delay = min(self._taken(), threading.TIMEOUT_MAX)  # a wait of more raises OverflowError
        return delay <= 0 or not stopping.wait(delay)

    def _taken(self) -> float:
        """Take the next turn. :returns: seconds until it comes."""
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now)
            self._next = turn + self._interval
        return turn - now
