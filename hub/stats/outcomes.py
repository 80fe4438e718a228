"""Recent outcomes of a consumer's attempts. Pure: the caller passes the time."""

from __future__ import annotations

from collections import deque

import msgspec

from hub.stats.counters import Counters

SPAN = 60
"""Seconds for which readings are kept."""
SOON = 10.0
"""Seconds that suffice if they have :data:`MANY` attempts, so that a repaired consumer shows soon."""
MANY = 10


class Outcomes(msgspec.Struct, frozen=True):
    """Numbers of attempts in a period by outcome, and of messages lost in it.

    :ivar finished: ``consume`` returned. :ivar failed: it raised an error. :ivar asked: it raised ``Retry``.
    :ivar rejected: it raised ``Reject``. :ivar lost: messages dropped without an operator's order, and evicted dead
        letters.
    """

    finished: int = 0
    failed: int = 0
    asked: int = 0
    rejected: int = 0
    lost: int = 0

    @classmethod
    def of(cls, counters: Counters, lost_letters: int) -> Outcomes:
        """All outcomes so far."""
        lost = counters.lost + lost_letters
        return cls(counters.finished, counters.failed, counters.asked, counters.rejected, lost)

    def __sub__(self, before: Outcomes) -> Outcomes:
        return Outcomes(
            self.finished - before.finished,
            self.failed - before.failed,
            self.asked - before.asked,
            self.rejected - before.rejected,
            self.lost - before.lost,
        )

    @property
    def bad(self) -> int:
        """Attempts that did not finish their message."""
        return self.failed + self.asked + self.rejected

    @property
    def attempts(self) -> int:
        """All attempts."""
        return self.finished + self.bad


class Recent:
    """Readings of the last minute, about one per second, and the one at which a message was last finished.

    :ivar last_bad: monotonic seconds of the first reading after the last bad attempt.
    """

    def __init__(self) -> None:
        self._readings: deque[tuple[float, Outcomes]] = deque(maxlen=SPAN + 1)
        self._good = Outcomes()
        self.last_bad: float | None = None

    def sample(self, now: float, outcomes: Outcomes) -> None:
        """Add a reading. :param now: monotonic time."""
        if self._readings:
            since = outcomes - self._readings[-1][1]
            if since.bad > 0:
                self.last_bad = now
            if since.finished > 0:
                self._good = outcomes
        else:
            self._good = outcomes
        self._readings.append((now, outcomes))

    def since_finished(self) -> Outcomes:
        """Outcomes since a message was last finished, which may be more than a minute ago."""
        if not self._readings:
            return Outcomes()
        return self._readings[-1][1] - self._good

    def lately(self) -> Outcomes:
        """Outcomes of the last seconds, or of the last minute if these were few."""
        soon = self._over(SOON)
        return soon if soon.attempts >= MANY else self.minute()

    def minute(self) -> Outcomes:
        """Outcomes of the last minute."""
        return self._over(float(SPAN))

    def _over(self, seconds: float) -> Outcomes:
        if not self._readings:
            return Outcomes()
        now, last = self._readings[-1]
        return last - next(outcomes for time, outcomes in self._readings if time >= now - seconds)
