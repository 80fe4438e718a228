"""Many refusals of one kind become a line and a number: who is not let in must not fill the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hub.interfaces import Clock

PER = 600.0
"""Seconds: of each kind one is written, and once these are over, how many more there were."""
MOST_KINDS = 16
"""Kinds at a time; all beyond it are one. Whoever asks may claim another address each time (``X-Forwarded-For``)."""
LONGEST_WHY = 200
"""Characters; a reason may quote what was asked for."""


class Refusal(NamedTuple):
    """Of one kind are those with the same of all three."""

    who: str
    action: str
    why: str


OTHERS = Refusal("others", "", "")


@dataclass
class _Burst:
    last: Refusal
    since: float
    untold: int = 0


class Refusals:
    """See the module. Belongs to one thread. :param clock: monotonic seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bursts: dict[Refusal, _Burst] = {}

    def met(self, one: Refusal) -> bool:
        """One more. Returns whether it is to be written now."""
        kind = one._replace(why=one.why[:LONGEST_WHY])
        if kind not in self._bursts and len(self._bursts) >= MOST_KINDS:
            kind = OTHERS
        burst = self._bursts.get(kind)
        if burst is None:
            self._bursts[kind] = _Burst(one, self._clock())
            return True
        burst.last = one if kind is not OTHERS else one._replace(who=OTHERS.who)
        burst.untold += 1
        return False

    def over(self, final: bool = False) -> list[tuple[Refusal, int]]:
        """The last one of each kind whose time is over and of which some were not written, with how many.

        :param final: of every kind.
        """
        now = self._clock()
        over = {kind: burst for kind, burst in self._bursts.items() if final or burst.since + PER <= now}
        for kind in over:
            del self._bursts[kind]
        return [(burst.last, burst.untold) for burst in over.values() if burst.untold]
