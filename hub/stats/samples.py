"""Samples of a queue's counters, and the flow between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec

Count = Literal["entered", "worked"]

COARSE = 1.0
"""Least variance, in messages squared: counts are whole numbers, so no flow is known better than to one message."""


class Sample(msgspec.Struct, frozen=True):
    """The counters of a queue at one time.

    :ivar time: monotonic seconds.
    :ivar busy: seconds that all threads have spent on messages.
    :ivar dropped: settled messages that no consumer worked on.
    :ivar dropped_on_arrival: those of them that never waited.
    """

    time: float
    received: int
    settled: int
    busy: float
    in_flight: int
    delayed: int
    dropped: int = 0
    dropped_on_arrival: int = 0

    @property
    def entered(self) -> int:
        """Messages that arrived and were queued."""
        return self.received - self.dropped_on_arrival

    @property
    def worked(self) -> int:
        """Messages that the consumer settled, without drops and purges."""
        return self.settled - self.dropped

    @property
    def backlog(self) -> int:
        """Messages that are received and not settled."""
        return self.received - self.settled

    @property
    def waits(self) -> bool:
        """True if some messages are not in flight."""
        return self.backlog > self.in_flight

    @property
    def stalled(self) -> bool:
        """True if messages wait, all of them for a retry."""
        return self.backlog - self.in_flight == self.delayed > 0


class Flow(msgspec.Struct, frozen=True):
    """Number of messages that arrived, or were settled, between the first and the last sample.

    :ivar variance: variance of the count, from the differences between intervals.
    """

    count: int
    seconds: float
    intervals: int
    variance: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.count / self.seconds


def flow(samples: Sequence[Sample], name: Count) -> Flow | None:
    """The flow of a count over some samples; ``None``: there are fewer than two."""
    intervals = len(samples) - 1
    if intervals < 1:
        return None
    count = getattr(samples[-1], name) - getattr(samples[0], name)
    seconds = samples[-1].time - samples[0].time
    rate = count / seconds
    squares = sum(
        (getattr(after, name) - getattr(before, name) - rate * (after.time - before.time)) ** 2
        for before, after in pairwise(samples)
    )
    variance = squares * intervals / (intervals - 1) if intervals > 1 else 0.0
    return Flow(count, seconds, intervals, max(variance, COARSE))


def grown(samples: Sequence[Sample], name: Count) -> list[Sample]:
    """The samples at which a count has grown since the one before."""
    return [after for before, after in pairwise(samples) if getattr(after, name) > getattr(before, name)]


def longest(times: Sequence[float]) -> float:
    """The longest gap between consecutive times; 0 for fewer than two."""
    return max((after - before for before, after in pairwise(times)), default=0.0)
