"""Medians of several rounds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from benchmarks.measure import Result
from benchmarks.systems import SYSTEMS


class Medians:
    """Medians of the results of each run."""

    def __init__(self, results: Iterable[Result]) -> None:
        self._results: dict[tuple[str, int, int, float], list[Result]] = {}
        for result in results:
            run = result.run
            self._results.setdefault((run.system, run.consumers, run.size, run.rate), []).append(result)

    def systems(self) -> list[str]:
        """Systems with results, in the order of the tables."""
        return [system for system in SYSTEMS if any(key[0] == system for key in self._results)]

    def shapes(self) -> list[tuple[int, float, int]]:
        """Combinations of size, rate and number of consumers with results."""
        return sorted({(size, rate, consumers) for _, consumers, size, rate in self._results})

    def get(self, system: str, consumers: int, size: int, rate: float, field: str) -> float | None:
        """Median of a field of :class:`~benchmarks.measure.Result`; ``None`` if it was not measured."""
        results = self._results.get((system, consumers, size, rate), [])
        values = [value for result in results if (value := getattr(result, field)) is not None]
        return median(values) if values else None

    def ratio(self, ours: str, theirs: str, consumers: int, size: int) -> float | None:
        """Ratio of one system's throughput to another's."""
        one = self.get(ours, consumers, size, 0, "rate")
        other = self.get(theirs, consumers, size, 0, "rate")
        return one / other if one and other else None
