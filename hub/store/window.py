"""Ack window: the settled positions of a queue. Pure: no lock, no clock, no message."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

COMPACT_AT = 128
"""Ranges that went at the front, beyond which their room is freed, once they are half of all."""
FEW = 512
"""Ranges that are moved at once, at the cost of one step of Python."""


class AckWindow:
    """A floor, below which all positions are finished, and disjoint finished ranges above it.

    Threads, retries and delays can finish out of order, and a restart still resumes exactly.

    Ranges go mostly at the front, so those that went there leave their room behind for a while, and a change in the
    middle moves the fewer of the others: with 100,000 ranges, one that goes would move a megabyte else.

    :param floor: first position that is not finished.
    """

    def __init__(self, floor: int = 0) -> None:
        self.floor = floor
        self._first = 0
        """Index of the first range; what is before it in the lists has gone."""
        self._starts: list[int] = []
        self._stops: list[int] = []

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Finished ranges above the floor, ``[start, stop)``, ascending; no two are adjacent."""
        return list(zip(self._starts[self._first :], self._stops[self._first :], strict=True))

    def finish(self, start: int, stop: int) -> None:
        """Mark positions from ``start`` up to, not including, ``stop`` as finished.

        :raises ValueError: a position is finished already, a bug of the caller.
        """
        if start >= stop:
            return
        at = bisect_left(self._starts, start, self._first)
        after = self._starts[at] if at < len(self._starts) else None
        before = self._stops[at - 1] if at > self._first else self.floor
        if start < before or (after is not None and stop > after):
            raise ValueError(f"[{start}, {stop}) is finished in part already: floor {self.floor}, {self.ranges}")
        joined = stop == after
        if joined and start != before:
            self._starts[at] = start
            return
        if joined:
            stop = self._stops[at]
        if at == self._first and start == before:
            self.floor = stop
        elif start == before:
            self._stops[at - 1] = stop
        else:
            self._insert(at, start, stop)
        if joined:
            self._remove(at)

    def _insert(self, at: int, start: int, stop: int) -> None:
        first = self._first
        if not first or len(self._starts) - at <= at - first + FEW:
            self._starts.insert(at, start)
            self._stops.insert(at, stop)
            return
        self._first = first - 1
        for bounds, bound in ((self._starts, start), (self._stops, stop)):
            bounds[first - 1 : at - 1] = bounds[first:at]
            bounds[at - 1] = bound

    def _remove(self, at: int) -> None:
        first = self._first
        if len(self._starts) - at <= at - first + FEW:
            del self._starts[at], self._stops[at]
            return
        for bounds in (self._starts, self._stops):
            bounds[first + 1 : at + 1] = bounds[first:at]
        self._first = first + 1
        if first >= COMPACT_AT and 2 * first > len(self._starts):
            del self._starts[: first + 1], self._stops[: first + 1]
            self._first = 0

    def reopen(self, start: int, stop: int) -> None:
        """Undo a ``finish``. All the positions must be finished."""
        if stop <= self.floor:
            first, after, at = start, self.floor, self._first
            self.floor = start
        else:
            at = bisect_right(self._starts, start, self._first) - 1
            first, after = self._starts.pop(at), self._stops.pop(at)
        rest = [(one, upto) for one, upto in ((first, start), (stop, after)) if one < upto]
        self._starts[at:at] = [one for one, _ in rest]
        self._stops[at:at] = [upto for _, upto in rest]

    def restore(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Add the ``ranges`` of another window to a new one."""
        for start, stop in ranges:
            self.finish(start, stop)

    def covers(self, start: int, stop: int) -> bool:
        """Tell whether all positions from ``start`` up to ``stop`` are finished."""
        if stop <= self.floor:
            return True
        at = bisect_right(self._starts, start, self._first) - 1
        return at >= self._first and stop <= self._stops[at]

    def around(self, position: int) -> tuple[int, int]:
        """The finished range that contains ``position``, which must be finished and above the floor."""
        at = bisect_right(self._starts, position, self._first) - 1
        return self._starts[at], self._stops[at]

    def open(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The unfinished ranges from ``start`` up to ``stop``."""
        at = max(start, self.floor)
        near = range(max(self._first, bisect_right(self._starts, at, self._first) - 1), len(self._starts))
        return gaps(at, stop, ((self._starts[index], self._stops[index]) for index in near))

    def is_finished(self, position: int) -> bool:
        """Tell whether a position is finished."""
        if position < self.floor:
            return True
        at = bisect_left(self._starts, position + 1, self._first)
        return at > self._first and position < self._stops[at - 1]


def gaps(start: int, stop: int, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts from ``start`` up to ``stop`` that are in none of the ascending ranges."""
    for first, after in ranges:
        if first >= stop:
            break
        if first > start:
            yield start, first
        start = max(start, after)
    if start < stop:
        yield start, stop


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge ranges: the same positions in as few ascending ranges as possible."""
    found: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if found and found[-1][1] >= start:
            found[-1] = (found[-1][0], max(stop, found[-1][1]))
        else:
            found.append((start, stop))
    return found
