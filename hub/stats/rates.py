"""Rates, and the time until a backlog is gone, from numbers that only grow. Pure: the caller brings the clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

SPAN = 60
"""Seconds of samples that are kept."""
RECENT = 5.0
"""Seconds over which a rate is taken: long enough to be calm, short enough that the end of a spike shows."""
ENOUGH = 5
"""Busy samples below which a time to catch up is marked as an estimate."""
STEADY = 0.05
"""A gain below this share of the rate is no gain to reckon with: rates are not known that well, and a quotient of their
difference would be a number made up."""

Trend = Literal["idle", "catching_up", "falling_behind", "steady", "unknown"]


@dataclass(frozen=True)
class CatchUp:
    """When the backlog will be gone.

    :ivar seconds: ``None``: not at this rate, or not known yet. ``0.0``: there is none.
    :ivar estimated: drawn from too few samples to rely on.
    """

    seconds: float | None
    estimated: bool
    trend: Trend


@dataclass(frozen=True)
class _Sample:
    time: float
    received: int
    settled: int
    busy: float

    @property
    def backlog(self) -> int:
        return self.received - self.settled


class Rates:
    """A ring of samples of one queue, taken about once a second."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SPAN + 1)

    def sample(self, now: float, received: int, settled: int, busy: float = 0.0) -> None:
        """Note the numbers at monotonic time ``now``; a second one at the same time replaces the first.

        :param busy: seconds that all threads have spent on messages.
        """
        if self._samples and now <= self._samples[-1].time:
            self._samples.pop()
        self._samples.append(_Sample(now, received, settled, busy))

    def restart(self) -> None:
        """What was so far says nothing about what comes: the consumer was paused, or has other threads now."""
        self._samples.clear()

    def rate_in(self) -> float | None:
        """Messages received per second; ``None`` before the second sample."""
        ends = self._recent()
        return None if ends is None else (ends[1].received - ends[0].received) / (ends[1].time - ends[0].time)

    def rate_out(self) -> float | None:
        """Messages settled per second; ``None`` before the second sample."""
        ends = self._recent()
        return None if ends is None else (ends[1].settled - ends[0].settled) / (ends[1].time - ends[0].time)

    def utilisation(self, threads: int) -> float | None:
        """The share of their time that so many threads spent on messages lately, from 0 to 1."""
        ends = self._recent()
        if ends is None or not threads:
            return None
        share = (ends[1].busy - ends[0].busy) / (ends[1].time - ends[0].time) / threads
        return max(0.0, min(1.0, share))

    def _recent(self) -> tuple[_Sample, _Sample] | None:
        if len(self._samples) < 2:
            return None
        last = self._samples[-1]
        first = next(sample for sample in self._samples if sample.time >= last.time - RECENT)
        return (first, last) if first is not last else (self._samples[-2], last)

    def _service(self) -> tuple[float, int] | None:
        """Messages settled per second *while there was something to do*, and the number of samples that say so.

        An idle consumer settles no faster than messages come; what it could do shows only while it has a backlog.
        """
        done, busy, count = 0, 0.0, 0
        for before, after in pairwise(self._samples):
            if before.backlog > 0 and after.backlog > 0:
                done += after.settled - before.settled
                busy += after.time - before.time
                count += 1
        return (done / busy, count) if busy else None

    def catch_up(self) -> CatchUp:
        """Depth over the difference of the rates: what an operator would work out from the graph."""
        backlog = self._samples[-1].backlog if self._samples else 0
        if backlog == 0:
            known = len(self._samples) > 0
            return CatchUp(0.0 if known else None, estimated=False, trend="idle" if known else "unknown")
        service, rate_in = self._service(), self.rate_in()
        if service is None or rate_in is None:
            return CatchUp(None, estimated=True, trend="unknown")
        rate, count = service
        gain = rate - rate_in
        estimated = count < ENOUGH
        if abs(gain) <= STEADY * rate:
            return CatchUp(None, estimated, trend="steady")
        if gain < 0:
            return CatchUp(None, estimated, trend="falling_behind")
        return CatchUp(backlog / gain, estimated, trend="catching_up")
