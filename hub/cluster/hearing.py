"""Whether this hub could hear the others. Pure: the caller passes the time.

The silence of another hub says something about it only if this one could hear meanwhile. It could not while it was
stopped or suspended itself, and while the bus gave it nothing although its connection seems to be there: a broker that
is cut off closes nothing. A bus that brings a hub its own announcements shows that: while they come, the others' would.
"""

from __future__ import annotations

LATE = 3.0
"""Seconds between two looks, which are due each second, from which on this hub was held up: what has arrived meanwhile
is not read yet."""
DUE = 1.0
"""Seconds between two looks."""
MISSING = 2
"""Intervals without any announcement, after which this hub does not hear. Fewer than make a node a silent one."""
GRACE = 1.0
"""Seconds that an announcement may take, beside these."""


class Hearing:
    """What this hub knows of its own hearing.

    :param interval: seconds between its own announcements. :param now: monotonic seconds.
    :ivar echoes: the bus brings a hub its own announcements. Once one has come, it does.
    :ivar heard: monotonic seconds at which any announcement came, its own or another's.
    """

    def __init__(self, interval: float, echoes: bool, now: float) -> None:
        self.echoes = echoes
        self.heard = now
        self._interval = interval
        self._looked = now

    def came(self, now: float) -> float:
        """Note that an announcement came, of any hub. :returns: seconds before it in which this hub may have heard
        nothing."""
        silent, self.heard = now - self.heard, now
        return silent - self._interval if self.echoes and silent > MISSING * self._interval else 0.0

    def look(self, now: float) -> float:
        """Note that time has passed. Called every second. :returns: seconds of it in which this hub was held up."""
        passed, self._looked = now - self._looked, now
        if passed < LATE:
            return 0.0
        self.heard = min(now, self.heard + passed - DUE)
        return passed - DUE

    def wait(self, now: float) -> None:
        """Begin anew: the bus is known to give nothing now."""
        self.heard = now

    def until(self, now: float) -> float:
        """The moment up to which this hub has heard what was said. A bus without echoes leaves that open."""
        return self.heard if self.echoes else now

    def deaf(self, now: float) -> str | None:
        """Why this hub hears nothing, although its bus is there; ``None``: it hears, or can't tell."""
        silent = now - self.heard
        if not self.echoes or silent <= MISSING * self._interval + GRACE:
            return None
        return "no announcement comes, not even this hub's own"
