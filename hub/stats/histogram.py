"""Histogram of durations: counts in buckets, cheap enough for every message."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from hub.status.consumers import Quantiles

BOUNDS: tuple[float, ...] = tuple(1e-6 * 2 ** (step / 4) for step in range(4 * 30))
"""Bounds in seconds, from 1 us to 15 minutes, four per octave: the middle of a bucket is right within a tenth."""
_MIDDLE = 2 ** (-1 / 8)
"""Factor from a bucket's upper bound to its geometric middle."""


class Histogram:
    """A histogram whose counts only grow. One thread writes, any may read."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float, count: int = 1) -> None:
        """Add ``count`` durations of that many seconds."""
        self.counts[bisect_right(BOUNDS, seconds)] += count


COARSE = 8
"""Step between the bounds that are exported: two octaves, fifteen bounds in all."""


def coarse(counts: Sequence[int]) -> tuple[list[float], list[int]]:
    """A histogram with fewer buckets: upper bounds in seconds, and counts, one more, not cumulative."""
    bounds = list(BOUNDS[::COARSE])
    starts = [0, *range(1, len(counts), COARSE)]
    stops = [*starts[1:], len(counts)]
    return bounds, [sum(counts[start:stop]) for start, stop in zip(starts, stops, strict=True)]


def fine(counts: Sequence[int]) -> list[list[float]]:
    """The non-empty buckets, as pairs: seconds at the middle, and the count."""
    return [[_middle(index), count] for index, count in enumerate(counts) if count]


def _middle(index: int) -> float:
    return BOUNDS[index] * _MIDDLE if index < len(BOUNDS) else BOUNDS[-1]


def merge(histograms: Iterable[Histogram]) -> list[int]:
    """The sum of several histograms."""
    return list(map(sum, zip(*(histogram.counts for histogram in histograms), strict=True)))


def shares(counts: Sequence[int]) -> Quantiles:
    """The percentiles that the status shows, in seconds."""
    median, most, nearly_all = percentiles(counts, (0.5, 0.95, 0.99))
    return {"p50": median, "p95": most, "p99": nearly_all}


def percentiles(counts: Sequence[int], wanted: Sequence[float]) -> list[float | None]:
    """Percentiles in seconds for shares from 0 to 1; ``None`` if nothing was counted.

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
