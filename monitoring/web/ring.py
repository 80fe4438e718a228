"""The numbers of one queue over time, at one resolution, in a bounded place. Pure.

Each place says which bucket of time it holds. So a clock that is set back or forward harms nothing but the buckets that
it comes by: what was there before is found again when the clock is right again, and where nothing was counted is a gap.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

UNKNOWN = float("nan")
DIGITS = 3


@dataclass(frozen=True)
class Tier:
    """:param step: seconds of a bucket. :param length: how many buckets."""

    step: int
    length: int

    @property
    def span(self) -> int:
        """Seconds, all in all."""
        return self.step * self.length

    def bucket(self, time: float) -> int:
        """Which one this moment (epoch seconds) falls into."""
        return int(time // self.step)


TIERS = (Tier(1, 600), Tier(10, 2160), Tier(60, 2880), Tier(600, 4320))
"""A second for 10 minutes, 10 seconds for 6 hours, a minute for 2 days, 10 minutes for 30 days: 240 kB for a queue."""


class Sums:
    """What was seen in a bucket of one queue; sums of small buckets make a large one.

    :ivar count: how often it was looked at. :ivar backlog: the sum of the backlogs seen; ``highest`` of them.
    :ivar seconds: over which ``received`` and ``settled`` were counted.
    """

    __slots__ = ("backlog", "count", "highest", "received", "seconds", "settled")

    def __init__(
        self,
        count: float = 0,
        backlog: float = 0,
        highest: float = 0,
        seconds: float = 0.0,
        received: float = 0,
        settled: float = 0,
    ) -> None:
        self.count = count
        self.backlog = backlog
        self.highest = highest
        self.seconds = seconds
        self.received = received
        self.settled = settled

    def add(self, other: Sums) -> None:
        """What that one saw, too."""
        self.count += other.count
        self.backlog += other.backlog
        if other.highest > self.highest:
            self.highest = other.highest
        self.seconds += other.seconds
        self.received += other.received
        self.settled += other.settled

    def numbers(self) -> list[float]:
        """To be kept; ``Sums(*numbers)`` is the same again."""
        return [self.count, self.backlog, self.highest, round(self.seconds, 6), self.received, self.settled]


class Ring:
    """``length`` buckets; the newest take the places of the oldest."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._buckets = array("q", [-1]) * length
        self._backlog, self._highest, self._rate_in, self._rate_out = (array("f", [UNKNOWN]) * length for _ in range(4))

    def put(self, bucket: int, sums: Sums) -> None:
        """What this bucket holds from now on."""
        place = bucket % self._length
        self._buckets[place] = bucket
        self._backlog[place] = sums.backlog / sums.count if sums.count else UNKNOWN
        self._highest[place] = sums.highest
        seconds = sums.seconds
        self._rate_in[place] = sums.received / seconds if seconds else UNKNOWN
        self._rate_out[place] = sums.settled / seconds if seconds else UNKNOWN

    def copy(self) -> Ring:
        """For another thread to read; it takes a few microseconds."""
        made = Ring.__new__(Ring)
        made._length = self._length
        for name in ("_buckets", "_backlog", "_highest", "_rate_in", "_rate_out"):
            setattr(made, name, getattr(self, name)[:])
        return made

    def columns(self, first: int, count: int) -> dict[str, list[float | None]]:
        """The buckets from ``first`` on, at most ``length`` of them; ``None`` where nothing is known."""
        found = self._turned(self._buckets, first, count)
        known = [bucket == wanted for bucket, wanted in zip(found, range(first, first + count), strict=True)]
        columns = {
            "backlog": self._backlog,
            "backlog_max": self._highest,
            "rate_in": self._rate_in,
            "rate_out": self._rate_out,
        }
        return {
            name: [
                round(value, DIGITS) if there and value == value else None
                for there, value in zip(known, self._turned(column, first, count), strict=True)
            ]
            for name, column in columns.items()
        }

    def _turned(self, column: array[float] | array[int], first: int, count: int) -> list[Any]:
        start = first % self._length
        return (column[start:].tolist() + column[:start].tolist())[:count]
