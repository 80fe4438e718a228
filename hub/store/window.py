"""Which positions of a queue are finished. Pure: no lock, no clock, no message."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class AckWindow:
    """A floor, below which all is finished, and disjoint finished ranges above it.

    That is what lets threads, retries and delays finish out of order, and a restart still resume exactly.

    :param floor: the first position that is not finished.
    """

    def __init__(self, floor: int = 0) -> None:
        self.floor = floor
        self._starts: list[int] = []
        self._stops: list[int] = []

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The finished ranges above the floor, ``[start, stop)``, ascending; never two that touch."""
        return list(zip(self._starts, self._stops, strict=True))

    def finish(self, start: int, stop: int) -> None:
        """Mark ``start`` up to, not including, ``stop``.

        :raises ValueError: one of them is finished already: the caller's books are wrong.
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
        """Let what lies before index ``at`` (a range, or the floor) swallow a range that it now touches."""
        if at < len(self._starts) and self._starts[at] == (self._stops[at - 1] if at else self.floor):
            if at:
                self._stops[at - 1] = self._stops[at]
            else:
                self.floor = self._stops[at]
            del self._starts[at], self._stops[at]

    def reopen(self, start: int, stop: int) -> None:
        """Take back a ``finish`` of positions that are finished, all of them."""
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
        """Take over what ``ranges`` gave, in a new window."""
        for start, stop in ranges:
            self.finish(start, stop)

    def covers(self, start: int, stop: int) -> bool:
        """Whether all of ``start`` up to ``stop`` are finished."""
        if stop <= self.floor:
            return True
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and stop <= self._stops[at]

    def around(self, position: int) -> tuple[int, int]:
        """The finished range that holds the position, which is finished, and not below the floor."""
        at = bisect_right(self._starts, position) - 1
        return self._starts[at], self._stops[at]

    def open(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """The ranges in ``start`` up to ``stop`` that are not finished."""
        at = max(start, self.floor)
        near = range(max(0, bisect_right(self._starts, at) - 1), len(self._starts))
        return gaps(at, stop, ((self._starts[index], self._stops[index]) for index in near))

    def is_finished(self, position: int) -> bool:
        """Whether that position was marked."""
        if position < self.floor:
            return True
        at = bisect_left(self._starts, position + 1)
        return bool(at) and position < self._stops[at - 1]


def gaps(start: int, stop: int, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of ``start`` up to ``stop`` lies in none of the ranges, which ascend."""
    for first, after in ranges:
        if first >= stop:
            break
        if first > start:
            yield start, first
        start = max(start, after)
    if start < stop:
        yield start, stop
