"""Rates and forecast of a queue, from samples of its counters. Pure: the caller passes the time."""

from __future__ import annotations

from collections import deque

from hub.stats.catchup import RECENT, SPAN, CatchUp, catch_up
from hub.stats.counters import QueueStats
from hub.stats.outcomes import Outcomes, Recent
from hub.stats.samples import Sample


class Rates:
    """Samples of one queue in the last minute, about one per second.

    :ivar recent: outcomes of its attempts.
    """

    def __init__(self) -> None:
        self.recent = Recent()
        self._samples: deque[Sample] = deque(maxlen=SPAN + 1)

    def sample(self, now: float, stats: QueueStats, busy: float, lost_letters: int = 0) -> None:
        """Add a sample at monotonic time ``now``; a second one at the same time replaces the first.

        :param busy: seconds that all threads have spent on messages.
        :param lost_letters: number of evicted dead letters.
        """
        if self._samples and now <= self._samples[-1].time:
            self._samples.pop()
        counters = stats.counters
        flow = (counters.received, counters.settled, busy, stats.in_flight, stats.delayed)
        self._samples.append(Sample(now, *flow, counters.dropped, counters.dropped_on_arrival))
        self.recent.sample(now, Outcomes.of(counters, lost_letters))

    def restart(self) -> None:
        """Delete all samples, after a pause or a change of threads."""
        self._samples.clear()

    def rate_in(self) -> float | None:
        """Messages received per second; ``None`` before the second sample."""
        ends = self._recent()
        return None if ends is None else (ends[1].received - ends[0].received) / (ends[1].time - ends[0].time)

    def rate_out(self) -> float | None:
        """Messages per second that the consumer settled, without drops and purges; ``None`` before the second
        sample."""
        ends = self._recent()
        return None if ends is None else (ends[1].worked - ends[0].worked) / (ends[1].time - ends[0].time)

    def utilisation(self, threads: int) -> float | None:
        """Share of the threads' time that was spent on messages recently, from 0 to 1."""
        ends = self._recent()
        if ends is None or not threads:
            return None
        share = (ends[1].busy - ends[0].busy) / (ends[1].time - ends[0].time) / threads
        return max(0.0, min(1.0, share))

    def catch_up(self, present: QueueStats, threads: int) -> CatchUp:
        """The forecast of the backlog; see :mod:`hub.stats.catchup`.

        :param present: current numbers.
        """
        return catch_up(list(self._samples), present, threads)

    def _recent(self) -> tuple[Sample, Sample] | None:
        if len(self._samples) < 2:
            return None
        last = self._samples[-1]
        first = next(sample for sample in self._samples if sample.time >= last.time - RECENT)
        return (first, last) if first is not last else (self._samples[-2], last)
