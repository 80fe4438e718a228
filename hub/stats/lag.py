"""How late the reactor is: what each call waits for that somebody else made."""

from __future__ import annotations

from collections import deque

KEPT = 120


class Lag:
    """Looks at the clock whenever it is told that a call was due. :param period: seconds between two of these."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._last: float | None = None
        self._late: deque[float] = deque(maxlen=KEPT)

    def called(self, now: float) -> None:
        """It is monotonic time ``now``, and a period should have passed since the last call."""
        if self._last is not None:
            self._late.append(max(0.0, now - self._last - self._period))
        self._last = now

    @property
    def worst(self) -> float | None:
        """Seconds by which the latest of the last calls was late; ``None``: there was none."""
        return max(self._late, default=None)
