"""Results of the rounds, and the marks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.mark import Mark

Values = dict[str, float]
"""A measurement's values by their names: ``rate``; or ``p50``, ``p99`` and ``calm p99`` in seconds, and the share of
``calm`` jobs."""
MARKS = (
    ("hubbub", "procrastinate", "work", 25.0, "jobs worked by one process"),
    ("hubbub", "procrastinate", "bulk", 3.0, "jobs inserted in bulk"),
    ("hubbub, SQLite", "TheSchwartz, SQLite", "work", 5.0, "jobs worked by one process"),
)
"""Ours, theirs, the measure, the ratio that is wanted, in words."""
LATENCY = 0.010
"""Seconds: what the 99th percentile from the insert to the start is to be below, at 100 jobs a second."""


class Rounds:
    """Values of each round."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[int, Values]] = {}

    def add(self, number: int, queue: str, measure: str, values: Values) -> None:
        """Keep values of a round."""
        self._found.setdefault((queue, measure), {})[number] = values

    def values(self, queue: str, measure: str, name: str) -> list[float]:
        """Values of all rounds."""
        found = self._found.get((queue, measure), {}).values()
        return [values[name] for values in found if name in values]

    def ratios(self, ours: str, theirs: str, measure: str) -> list[float]:
        """Ratio of the rates in each round that has both."""
        one, other = (self._found.get((queue, measure), {}) for queue in (ours, theirs))
        return [one[number]["rate"] / other[number]["rate"] for number in sorted(one.keys() & other.keys())]

    def rows(self) -> list[dict[str, object]]:
        """All values, for a file."""
        return [
            {"queue": queue, "measure": measure, "round": number, **values}
            for (queue, measure), rounds in self._found.items()
            for number, values in rounds.items()
        ]


def percentile(values: Sequence[float], percent: int) -> float:
    """Percentile of sorted values."""
    return values[min(len(values) - 1, len(values) * percent // 100)]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, and the least and the most."""
    if not values:
        return "-"
    low, high = min(values), max(values)
    return f"{median(values):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def marks(rounds: Rounds) -> Iterator[Mark]:
    """Marks whose systems were measured. A ratio is the median of the rounds' ratios."""
    for ours, theirs, measure, wanted, words in MARKS:
        ratios = rounds.ratios(ours, theirs, measure)
        if ratios:
            text = f"{ours}: at least {wanted:g} times {theirs}'s {words}"
            yield Mark(text, f"{spread(ratios, 1)} times", median(ratios) >= wanted)
    late = rounds.values("hubbub", "wait", "p99")
    if late:
        text = f"hubbub: from the insert to the start in less than {LATENCY * 1000:g} ms at 100/s, 99th percentile"
        measured = f"{spread([value * 1000 for value in late], 1)} ms"
        calm = rounds.values("hubbub", "wait", "calm p99")
        if calm:
            share = median(rounds.values("hubbub", "wait", "calm"))
            measured += f"; {spread([value * 1000 for value in calm], 1)} ms of the {share:.0%} that were calm"
        yield Mark(text, measured, median(late) < LATENCY)
