"""A simulated consumer: when messages come, how long each takes, how many threads it has. Its numbers at any time."""

from __future__ import annotations

import heapq
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from hub.stats.catchup import CatchUp
from hub.stats.counters import Counters, QueueStats
from hub.stats.rates import Rates

Source = Callable[[], float]
"""The next number of a process: seconds between two arrivals, or for which a message is worked on."""


def constant(value: float) -> Source:
    return lambda: value


def exponential(mean: float, seed: int) -> Source:
    draw = random.Random(seed)
    return lambda: draw.expovariate(1 / mean)


def arrivals(gap: Source, start: float, stop: float) -> list[float]:
    """One after the other, the first a gap after ``start``."""
    times, now = [], start + gap()
    while now < stop:
        times.append(now)
        now += gap()
    return times


@dataclass(frozen=True)
class Said:
    """What was told at a time, and the backlog that was told with it."""

    time: float
    backlog: int
    catch_up: CatchUp


class Consumer:
    """Threads that take what waits, the oldest first, up to ``batch`` at once, and hand it in together.

    :param poison: seconds that one more message, there from the start, is worked on, and seconds until it is tried
        again; it is never settled.
    """

    def __init__(
        self,
        times: Sequence[float],
        work: Source,
        threads: int = 1,
        batch: int = 1,
        poison: tuple[float, float] | None = None,
    ) -> None:
        self.threads, self._poison = threads, poison
        self._times = sorted(times)
        self._begun: list[float] = []
        self._ended: list[float] = []
        self._periodic: list[tuple[float, float]] = []
        free = [0.0] * threads
        while len(self._begun) < len(self._times):
            begin = max(heapq.heappop(free), self._times[len(self._begun)])
            count = min(batch, bisect_right(self._times, begin) - len(self._begun))
            end = begin + sum(work() for _ in range(count))
            self._begun += [begin] * count
            self._ended += [end] * count
            self._periodic.append((begin, end))
            heapq.heappush(free, end)
        self._ended.sort()
        self._begins, self._ends = sorted(b for b, _ in self._periodic), sorted(e for _, e in self._periodic)
        self._begun_sums = [0.0, *accumulate(self._begins)]
        self._ended_sums = [0.0, *accumulate(self._ends)]

    def stats(self, now: float) -> QueueStats:
        received, settled = bisect_right(self._times, now), bisect_right(self._ended, now)
        in_flight, delayed = bisect_right(self._begun, now) - settled, 0
        if self._poison:
            received += 1
            tried = now % sum(self._poison) < self._poison[0]
            in_flight, delayed = in_flight + tried, int(not tried)
        return QueueStats(Counters(received=received, finished=settled), in_flight, delayed, None)

    def busy(self, now: float) -> float:
        begun, ended = bisect_right(self._begins, now), bisect_right(self._ends, now)
        busy = self._ended_sums[ended] + (begun - ended) * now - self._begun_sums[begun]
        if self._poison:
            rounds, rest = divmod(now, sum(self._poison))
            busy += rounds * self._poison[0] + min(rest, self._poison[0])
        return busy

    def watched(self, start: float, stop: float, phase: float = 0.3) -> Iterator[Said]:
        """What is told, sampled once a second; read at each sample and in the middle between two."""
        rates = Rates()
        for second in range(int(start), int(stop)):
            now = second + phase
            stats = self.stats(now)
            rates.sample(now, stats, self.busy(now))
            for read in (now, now + 0.5):
                stats = self.stats(read)
                yield Said(read, stats.counters.backlog, rates.catch_up(stats, self.threads))


def share(said: Sequence[Said], *trends: str) -> float:
    """Of the statements, that of these trends."""
    return sum(one.catch_up.trend in trends for one in said) / len(said)
