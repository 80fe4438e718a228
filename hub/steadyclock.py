"""A clock for ages: a moment in which the machine's clock is far ahead does not make all that waits too old."""

from __future__ import annotations

from hub.interfaces import Clock

TOLERANCE = 60.0
"""Seconds that the wall clock may go ahead at once and be believed: what an adjustment may do, and a suspended machine
seldom."""
LASTING = 60.0
"""Seconds after which a clock that went further ahead is believed too."""


class SteadyClock:
    """Epoch seconds: the wall clock, unless that has just gone far ahead of what has passed by the monotonic one. A
    clock that goes back is followed at once. For one thread, or under a lock."""

    def __init__(self, wall: Clock, monotonic: Clock) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._base = wall() - monotonic()
        self._doubted: tuple[float, float] | None = None
        """How far ahead it went, and when."""

    def __call__(self) -> float:
        """The time now."""
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
