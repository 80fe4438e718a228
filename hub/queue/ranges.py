"""Ascending ranges of positions, in 16 bytes each. Pure."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator

from hub.store import Range

COMPACT_AT = 1024
"""Ranges that were removed from the front, beyond which their room is freed, once they are half of all."""


class Ranges:
    """Disjoint ranges, added at the end and removed from the front.

    :ivar count: number of positions.
    """

    def __init__(self) -> None:
        self.count = 0
        self._starts, self._stops = array("q"), array("q")
        self._first = 0

    def __len__(self) -> int:
        return len(self._starts) - self._first

    def __iter__(self) -> Iterator[Range]:
        return (self._at(index) for index in range(self._first, len(self._starts)))

    def _at(self, index: int) -> Range:
        return self._starts[index], self._stops[index]

    @property
    def first(self) -> int:
        """The first position. :raises IndexError: there is none."""
        return self._starts[self._first]

    @property
    def stop(self) -> int:
        """The position after the last one. :raises IndexError: there is none."""
        return self._stops[-1]

    def add(self, start: int, stop: int) -> None:
        """Add a range behind all others; it is merged into the last one if they are adjacent."""
        self.count += stop - start
        if len(self) and self._stops[-1] == start:
            self._stops[-1] = stop
        else:
            self._starts.append(start)
            self._stops.append(stop)

    def drop_below(self, position: int) -> None:
        """Remove all positions below ``position``."""
        while len(self) and self.first < position:
            start, stop = self._at(self._first)
            self.count -= min(stop, position) - start
            if stop > position:
                self._starts[self._first] = position
            else:
                self._first += 1
        if self._first > COMPACT_AT and self._first > len(self):
            del self._starts[: self._first], self._stops[: self._first]
            self._first = 0

    def among(self, start: int, stop: int) -> Iterator[Range]:
        """The parts of the ranges from ``start`` up to ``stop``."""
        at = max(self._first, bisect_right(self._starts, start) - 1)
        while at < len(self._starts) and self._starts[at] < stop:
            first, after = max(start, self._starts[at]), min(stop, self._stops[at])
            if first < after:
                yield first, after
            at += 1

    def leave_out(self, ranges: Iterator[Range]) -> Iterator[Range]:
        """Those positions of other ranges that are not among these."""
        for start, stop in ranges:
            for first, after in self.among(start, stop):
                if start < first:
                    yield start, first
                start = after
            if start < stop:
                yield start, stop

    def after(self, position: int) -> int:
        """The first position from ``position`` on that is not among them."""
        found = next(self.among(position, position + 1), None)
        return position if found is None else self._stops[bisect_right(self._starts, position) - 1]
