"""What the backlogs were in the last minutes, as ``hubbub top`` saw them."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Any

SPAN = 300.0
"""Seconds that are kept."""
MOST_SAMPLES = 1200
BARS = " ▁▂▃▄▅▆▇█"


class History:
    """See the module. :param interval: seconds between two samples."""

    def __init__(self, interval: float) -> None:
        self._size = max(2, min(MOST_SAMPLES, round(SPAN / interval)))
        self._backlogs: dict[str, deque[int]] = {}

    def note(self, consumers: Mapping[str, Mapping[str, Any]]) -> None:
        """One sample of each; what is no longer there is forgotten."""
        self._backlogs = {name: self._backlogs.get(name, deque(maxlen=self._size)) for name in consumers}
        for name, row in consumers.items():
            self._backlogs[name].append(int(row["backlog"]))

    def backlogs(self, name: str) -> Sequence[int]:
        """The oldest first."""
        return tuple(self._backlogs.get(name, ()))


def sparkline(values: Sequence[int], width: int) -> str:
    """The highest of each stretch as a bar, the newest at the right; the tallest bar is the highest of all.

    Nothing is a space, so that a queue that is empty shows as one.
    """
    top = max(values, default=0)
    return "".join(_bar(value, top) for value in _stretches(values, width)).rjust(width)


def _stretches(values: Sequence[int], width: int) -> Collection[int]:
    if len(values) <= width:
        return values
    edges = [index * len(values) // width for index in range(width + 1)]
    return [max(values[start:stop]) for start, stop in itertools.pairwise(edges)]


def _bar(value: int, top: int) -> str:
    return BARS[0] if value <= 0 else BARS[1 + round((len(BARS) - 2) * value / top)]
