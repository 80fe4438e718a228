"""How long messages have waited, by clocks that no step of the wall clock fools. Pure: no lock."""

from __future__ import annotations

import math
import sys
from collections import deque
from dataclasses import dataclass

from hub.interfaces import Clock
from hub.steadyclock import SteadyClock

SPANS = 1000
"""Into how many spans of arrival one ``max_age`` is divided."""
SHORTEST = 0.01
"""Seconds of one of them, at least."""


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """Which messages are too old.

    :ivar oldest: epoch seconds; who was received before is too old.
    :ivar now: epoch seconds. A later time was taken while the clock was ahead, and tells no age.
    :ivar upto: the first position that has not waited so long by the monotonic clock, whatever its time says.
    """

    oldest: float
    now: float
    upto: int

    def exceeded(self, position: int, received_at: float) -> bool:
        """By the message there, which was received then."""
        return position < self.upto and not self.oldest <= received_at <= self.now


class Ages:
    """When messages arrived, by the monotonic clock: those that came since the hub started, in spans.

    The age of what was there before, or came while there was no limit, is told by the wall clock alone.

    :param clock: monotonic seconds. :param wall: epoch seconds.
    """

    def __init__(self, clock: Clock, wall: Clock) -> None:
        self._clock, self._now = clock, SteadyClock(wall, clock)
        self._unknown = clock()  # nothing is known of what arrived up to then
        self._starts: deque[int] = deque()
        self._opened: deque[float] = deque()
        self._lasts: deque[float] = deque()

    def arrive(self, start: int, max_age: float | None) -> None:
        """The message at ``start``, and those after it, arrive now. :param max_age: seconds; ``None``: none is kept."""
        now = self._clock()
        if max_age is None:
            self._unknown = now
            return
        if self._starts and now - self._opened[-1] < max(SHORTEST, max_age / SPANS):
            self._lasts[-1] = now
            return
        self._starts.append(start)
        self._opened.append(now)
        self._lasts.append(now)

    def limit(self, max_age: float) -> AgeLimit:
        """Who has waited longer than so many seconds. Spans of which all have are forgotten."""
        oldest = self._clock() - max_age
        while self._lasts and self._lasts[0] < oldest:
            self._starts.popleft()
            self._opened.popleft()
            self._lasts.popleft()
        upto = self._starts[0] if self._starts else sys.maxsize
        now = self._now()
        return AgeLimit(now - max_age, now if self._unknown < oldest else math.inf, upto)
