"""A throttle: shows the first events of a kind, and counts the others. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

Event = TypeVar("Event")


class Burst(msgspec.Struct, Generic[Event]):
    """A burst: events of one kind within one period.

    :ivar since: monotonic seconds of the first event. :ivar held: events not shown. :ivar last: set by the user to
        describe the last of these.
    """

    kind: Hashable
    since: float
    shown: int = 0
    held: int = 0
    last: Event | None = None


class Throttle(Generic[Event]):
    """Shows the first events of each kind in each period. Belongs to one thread, or to its user's lock.

    :param shown: events shown of each kind. :param period: seconds, from the first event on.
    :param most: kinds that are remembered. Beyond it the oldest burst is reported early and evicted.
    :param others: the kind of all events beyond ``most``, for events whose sender can invent kinds.
    """

    def __init__(self, shown: int, period: float, most: int, others: Hashable | None = None) -> None:
        self._shown = shown
        self._period = period
        self._most = most
        self._others = others
        self._bursts: OrderedDict[Hashable, Burst[Event]] = OrderedDict()
        self._given_up: deque[Burst[Event]] = deque(maxlen=most)

    def __len__(self) -> int:
        """Number of kinds that are remembered."""
        return len(self._bursts)

    def hold(self, kind: Hashable, now: float) -> Burst[Event] | None:
        """Count an event. Call :meth:`over` before it.

        :param now: monotonic seconds.
        :returns: ``None``: show it; else the burst that holds it, where ``last`` can be set.
        """
        if kind not in self._bursts and len(self._bursts) >= self._most:
            if self._others is not None:
                kind = self._others
            else:
                self._given_up.append(self._bursts.popitem(last=False)[1])
        burst = self._bursts.get(kind)
        if burst is None:
            burst = self._bursts[kind] = Burst(kind, now)
        if burst.shown < self._shown:
            burst.shown += 1
            return None
        burst.held += 1
        return burst

    def over(self, now: float, final: bool = False) -> list[Burst[Event]]:
        """Forget the bursts whose period is over. :returns: those with held events, to be reported now.

        :param final: forget all bursts, at the end.
        """
        over = list(self._given_up)
        self._given_up.clear()
        while self._bursts and (final or self._first().since + self._period <= now):
            over.append(self._bursts.popitem(last=False)[1])
        return [burst for burst in over if burst.held]

    def due(self) -> float | None:
        """End of the next period in monotonic seconds; ``None``: there is no burst."""
        return self._first().since + self._period if self._bursts else None

    def _first(self) -> Burst[Event]:
        """The oldest burst; they are kept in that order."""
        return next(iter(self._bursts.values()))
