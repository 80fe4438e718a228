"""Ages of waiting messages, correct even if the wall clock is set. Pure: no lock."""

from __future__ import annotations

import math
import sys
from collections import deque

import msgspec

from hub.interfaces import Clock
from hub.steadyclock import SteadyClock

SPANS = 1000
"""Number of arrival spans that one ``max_age`` is divided into."""
SHORTEST = 0.01
"""Shortest span, in seconds."""


class AgeLimit(msgspec.Struct, frozen=True):
    """Limit that tells which messages are too old.

    :ivar oldest: epoch seconds; messages received before it are too old.
    :ivar now: epoch seconds. A later time of receipt was taken while the clock was ahead, and is ignored.
    :ivar upto: first position that has not waited too long by the monotonic clock.
    """

    oldest: float
    now: float
    upto: int

    def exceeded(self, position: int, received_at: float) -> bool:
        """Tell whether a message is too old. :param received_at: epoch seconds."""
        return position < self.upto and not self.oldest <= received_at <= self.now


class Ages:
    """Arrival times by the monotonic clock, in spans, of messages that arrived since the hub started.

    Messages that are older, or arrived while there was no limit, are judged by the wall clock alone.

    :param clock: monotonic seconds. :param wall: epoch seconds.
    """

    def __init__(self, clock: Clock, wall: Clock) -> None:
        self._clock, self._now = clock, SteadyClock(wall, clock)
        self._unknown = clock()  # no arrival times are known up to then
        self._starts: deque[int] = deque()
        self._opened: deque[float] = deque()
        self._lasts: deque[float] = deque()

    def arrive(self, start: int, max_age: float | None) -> None:
        """Record that messages from ``start`` on arrive now. :param max_age: seconds; ``None``: record nothing."""
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
        """The limit for messages that have waited ``max_age`` seconds. Older spans are deleted."""
        oldest = self._clock() - max_age
        while self._lasts and self._lasts[0] < oldest:
            self._starts.popleft()
            self._opened.popleft()
            self._lasts.popleft()
        upto = self._starts[0] if self._starts else sys.maxsize
        now = self._now()
        return AgeLimit(now - max_age, now if self._unknown < oldest else math.inf, upto)
