"""Ack window: the settled positions of a queue. Pure: no lock, no clock, no message."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class AckWindow:
    """A floor, below which all positions are finished, and disjoint finished ranges above it.

    Threads, retries and delays can finish out of order, and a restart still resumes exactly.

    :param floor: first position that is not finished.
    """

    def __init__(self, floor: int = 0) -> None:
        self.floor = floor
        self._starts: list[int] = []
        self._stops: list[int] = []

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Finished ranges above the floor, ``[start, stop)``, ascending; no two are adjacent."""
        return list(zip(self._starts, self._stops, strict=True))

    def finish(self, start: int, stop: int) -> None:
        """Mark positions from ``start`` up to, not including, ``stop`` as finished.

        :raises ValueError: a position is finished already, a bug of the caller.
        """
        if start >= stop:
            return
        at = bisect_left(self._starts, start)
        after = self._starts[at] if at < len(self._starts) else stop
        before = self._stops[at - 1] if at else self.floor
        if start < before or stop > after:
            raise ValueError(f"[{start}, {stop}) is finished in part already: floor {self.floor}, {self.ranges}")
        if start == self.floor:
            self.floor = stop
        elif at and self._stops[at - 1] == start:
            self._stops[at - 1] = stop
        else:
            self._starts.insert(at, start)
            self._stops.insert(at, stop)
            at += 1
        self._join(at)

    def _join(self, at: int) -> None:
        """Merge the range at index ``at`` into its predecessor (a range or the floor), if they are adjacent."""
        if at < len(self._starts) and self._starts[at] == (self._stops[at - 1] if at else self.floor):
            if at:
                self._stops[at - 1] = self._stops[at]
            else:
                self.floor = self._stops[at]
            del self._starts[at], self._stops[at]

    def reopen(self, start: int, stop: int) -> None:
        """Undo a ``finish``. All the positions must be finished."""
        if stop <= self.floor:
            first, after, at = start, self.floor, 0
            self.floor = start
        else:
            at = bisect_right(self._starts, start) - 1
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
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and stop <= self._stops[at]

    def around(self, position: int) -> tuple[int, int]:
        """The finished range that contains ``position``, which must be finished and above the floor."""
        at = bisect_right(self._starts, position) - 1
        return self._starts[at], self._stops[at]

    def open(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The unfinished ranges from ``start`` up to ``stop``."""
        at = max(start, self.floor)
        near = range(max(0, bisect_right(self._starts, at) - 1), len(self._starts))
        return gaps(at, stop, ((self._starts[index], self._stops[index]) for index in near))

    def is_finished(self, position: int) -> bool:
        """Tell whether a position is finished."""
        if position < self.floor:
            return True
        at = bisect_left(self._starts, position + 1)
        return bool(at) and position < self._stops[at - 1]


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
