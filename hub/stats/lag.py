"""Reactor lag: the delay between the time a call is due and its execution."""

from __future__ import annotations

from collections import deque

KEPT = 120


class Lag:
    """Lag of a periodic call. :param period: seconds between two calls."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: float | None = None
        self._late: deque[float] = deque(maxlen=KEPT)

    def called(self, now: float) -> None:
        """Record a call. :param now: monotonic seconds; a period should have passed since the last call."""
        if self._last is not None:
            self._late.append(max(0.0, now - self._last - self._period))
        self._last = now

    @property
    def worst(self) -> float | None:
        """The highest lag of the last calls, in seconds; ``None`` before the second call."""
        return max(self._late, default=None)
