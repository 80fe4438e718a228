"""Samples of a queue's numbers, and what flowed between them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Count = Literal["entered", "worked"]

COARSE = 1.0
"""Messages squared: counts are whole, so what flowed between two samples is never known better than to one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The numbers of a queue at one time.

    :ivar time: monotonic seconds.
    :ivar busy: seconds that all threads have spent on messages.
    :ivar dropped: of what was settled, the messages that no consumer worked on.
    :ivar refused: of what was dropped, the messages that were dropped on arrival.
    """

    time: float
    received: int
    settled: int
    busy: float
    in_flight: int
    delayed: int
    dropped: int = 0
    refused: int = 0

    @property
    def entered(self) -> int:
        """Messages that came and stayed."""
        return self.received - self.refused

    @property
    def worked(self) -> int:
        """Messages that the consumer settled. A drop or a purge is no work: it says nothing of what comes next."""
        return self.settled - self.dropped

    @property
    def backlog(self) -> int:
        """Received and not settled."""
        return self.received - self.settled

    @property
    def waits(self) -> bool:
        """Whether something is in no thread's hands."""
        return self.backlog > self.in_flight

    @property
    def stalled(self) -> bool:
        """Whether something waits, and all of it for a retry."""
        return self.backlog - self.in_flight == self.delayed > 0


@dataclass(frozen=True)
class Flow:
    """What came, or was worked off, between the first and the last of some samples.

    :ivar variance: of the count: how far it may be off, by how unevenly it flowed from one interval to the next.
    """

    count: int
    seconds: float
    intervals: int
    variance: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.count / self.seconds


def flow(samples: Sequence[Sample], name: Count) -> Flow | None:
    """``None``: there are no two samples."""
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
    """Those before which that count has grown: between two of them lies a whole number of what it counts."""
    return [after for before, after in pairwise(samples) if getattr(after, name) > getattr(before, name)]


def longest(times: Sequence[float]) -> float:
    """Seconds between two of them that follow each other; 0 where there are no two."""
    return max((after - before for before, after in pairwise(times)), default=0.0)
