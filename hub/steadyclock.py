"""A clock for ages, which ignores short jumps ahead of the machine's clock: they would expire waiting messages."""

from __future__ import annotations

from hub.interfaces import Clock

TOLERANCE = 60.0
"""Largest jump ahead, in seconds, that is believed at once, as a clock adjustment makes. A suspended machine rarely
jumps so little."""
LASTING = 60.0
"""Seconds after which a larger jump is believed too."""


class SteadyClock:
    """Epoch seconds of the wall clock, unless it has just jumped far ahead of the monotonic clock. A step back is
    followed at once. For one thread, or under a lock."""

    def __init__(self, wall: Clock, monotonic: Clock) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._base = wall() - monotonic()
        self._doubted: tuple[float, float] | None = None
        """Size and time of the jump."""

    def __call__(self) -> float:
        """The current time in epoch seconds."""
        wall, passed = self._wall(), self._monotonic()
        ahead = wall - passed - self._base
        if ahead <= TOLERANCE or self._lasts(ahead, passed):
            self._base, self._doubted = wall - passed, None
            return wall
        return self._base + passed

    def _lasts(self, ahead: float, now: float) -> bool:
        if self._doubted is None or abs(ahead - self._doubted[0]) > TOLERANCE:
            self._doubted = ahead, now
        return now - self._doubted[1] > LASTING
