"""Backlogs of the last minutes, polled by ``hubbub top``."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

SPAN = 300.0
"""Seconds of history that are kept."""
MOST_SAMPLES = 1200
BARS = " ▁▂▃▄▅▆▇█"


class BacklogHistory:
    """Recent backlogs of all consumers. :param interval: seconds between two samples."""

    def __init__(self, interval: float) -> None:
        self._size = max(2, min(MOST_SAMPLES, round(SPAN / interval)))
        self._backlogs: dict[str, deque[int]] = {}

    def note(self, consumers: Mapping[str, Mapping[str, Any]]) -> None:
        """Add a sample for each consumer; delete the samples of removed consumers."""
        self._backlogs = {name: self._backlogs.get(name, deque(maxlen=self._size)) for name in consumers}
        for name, row in consumers.items():
            self._backlogs[name].append(int(row["backlog"]))

    def backlogs(self, name: str) -> Sequence[int]:
        """The samples of one consumer, the oldest first."""
        return tuple(self._backlogs.get(name, ()))


def sparkline(values: Sequence[int], width: int) -> str:
    """Bars of text, the newest at the right. Each bar is the highest value of its time span; a space is 0."""
    top = max(values, default=0)
    return "".join(_bar(value, top) for value in _stretches(values, width)).rjust(width)


def _stretches(values: Sequence[int], width: int) -> Collection[int]:
    if len(values) <= width:
        return values
    edges = [index * len(values) // width for index in range(width + 1)]
    return [max(values[start:stop]) for start, stop in itertools.pairwise(edges)]


def _bar(value: int, top: int) -> str:
    return BARS[0] if value <= 0 else BARS[1 + round((len(BARS) - 2) * value / top)]
