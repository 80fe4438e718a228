"""How long things took: counts in buckets, cheap enough for every message."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

BOUNDS: tuple[float, ...] = tuple(1e-6 * 2 ** (step / 4) for step in range(4 * 30))
"""Seconds: from 1 us to 15 minutes, four to an octave, so that the middle of a bucket is right within a tenth."""
_MIDDLE = 2 ** (-1 / 8)
"""From a bucket's upper bound to its (geometric) middle."""


class Histogram:
    """Counts that only grow. One thread writes, any may read."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float, count: int = 1) -> None:
        """Count that many that took so long."""
        self.counts[bisect_right(BOUNDS, seconds)] += count


COARSE = 8
"""Every so many of the bounds are told to other programs: two octaves apart, fifteen in all."""


def coarse(counts: Sequence[int]) -> tuple[list[float], list[int]]:
    """The same with fewer buckets: their upper bounds in seconds, and the counts, one more, not cumulative."""
    bounds = list(BOUNDS[::COARSE])
    starts = [0, *range(1, len(counts), COARSE)]
    stops = [*starts[1:], len(counts)]
    return bounds, [sum(counts[start:stop]) for start, stop in zip(starts, stops, strict=True)]


def fine(counts: Sequence[int]) -> list[list[float]]:
    """All buckets that hold something: seconds at their middle, and the count."""
    return [[_middle(index), count] for index, count in enumerate(counts) if count]


def _middle(index: int) -> float:
    return BOUNDS[index] * _MIDDLE if index < len(BOUNDS) else BOUNDS[-1]


def merge(histograms: Iterable[Histogram]) -> list[int]:
    """The counts of all of them together."""
    return [sum(column) for column in zip(*(histogram.counts for histogram in histograms), strict=True)]


SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def shares(counts: Sequence[int]) -> dict[str, float | None]:
    """The percentiles that the status shows, by name, in seconds."""
    return dict(zip(SHARES, percentiles(counts, list(SHARES.values())), strict=True))


def percentiles(counts: Sequence[int], wanted: Sequence[float]) -> list[float | None]:
    """Seconds below which that share (0 to 1) lies; ``None`` where nothing was counted.

    The middle of the bucket that holds it; beyond the last bound, that bound.
    """
    total = sum(counts)
    if not total:
        return [None] * len(wanted)
    found: list[float | None] = []
    for share in wanted:
        rank, seen = share * total, 0
        for index, count in enumerate(counts):
            seen += count
            if seen >= rank and count:
                found.append(_middle(index))
                break
    return found
