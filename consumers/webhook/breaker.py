"""A circuit breaker: a host that fails is not tried for a while, then with one request. Pure; the clock is an argument.

M. Nygard, "Release It!", 2007.
"""

from __future__ import annotations

from hub.interfaces import Clock

TRIAL_WAIT = 1.0
"""Seconds to come again in, while one request tries the host."""


class Breaker:
    """Breaker of one host. For one thread, or under a lock.

    :param failures: failures in a row that open it.
    :param pause: seconds for which it is open at first; they double each time that the trial fails.
    :param longest: most seconds for which it is open.
    :param clock: monotonic seconds.
    """

    def __init__(self, failures: int, pause: float, longest: float, clock: Clock) -> None:
        self._most = failures
        self._first, self._longest = pause, longest
        self._clock = clock
        self._failures = 0
        self._pause = pause
        self._until: float | None = None
        self._on_trial = False

    @property
    def open(self) -> bool:
        """True if the host has failed, and no request has succeeded since."""
        return self._until is not None

    def begin(self) -> float:
        """Ask to begin a request. :returns: 0.0: do it; else the seconds until one may be tried."""
        if self._until is None:
            return 0.0
        left = self._until - self._clock()
        if left > 0:
            return left
        if self._on_trial:
            return TRIAL_WAIT
        self._on_trial = True
        return 0.0

    def succeeded(self) -> None:
        """Close it: the host has answered."""
        self._failures, self._pause, self._until, self._on_trial = 0, self._first, None, False

    def failed(self) -> None:
        """Count a failure of the host. Those of requests that were begun before it opened do not prolong the pause."""
        self._failures += 1
        if self._until is None and self._failures >= self._most:
            self._until = self._clock() + self._pause
        elif self._on_trial:
            self._pause = min(self._longest, self._pause * 2)
            self._until = self._clock() + self._pause
            self._on_trial = False

    def withdrawn(self) -> None:
        """A request ended in a way that says nothing of the host: another one may try it."""
        self._on_trial = False
