"""What waited for a retry when the hub ended. Pure: no lock."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

from hub.queue.schedule import Entry
from hub.store import Range


class Resumed:
    """Without lanes it is aside from the start, and left out where messages are read.

    In lanes it comes *in turn*: it is read and sorted with the others. Where those are dropped before that, it is
    *spared*: read on its own, and brought back to its place.

    :ivar in_turn: by position.
    """

    def __init__(self) -> None:
        self.in_turn: dict[int, Entry] = {}
        self.spared: list[Entry] = []
        self._positions: list[int] = []

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self.in_turn) + len(self.spared)

    def add(self, entries: Mapping[int, Entry], in_lanes: bool) -> None:
        """At the start."""
        self._positions = sorted(entries)
        if in_lanes:
            self.in_turn.update(entries)

    def among(self, start: int, stop: int) -> list[int]:
        """Which positions from ``start`` up to ``stop`` are such, or were."""
        return self._positions[bisect_left(self._positions, start) : bisect_left(self._positions, stop)]

    def leave_out(self, ranges: Iterator[Range]) -> Iterator[Range]:
        """The same without positions that are aside."""
        for start, stop in ranges:
            for position in self.among(start, stop):
                if position not in self.in_turn:
                    if start < position:
                        yield start, position
                    start = position + 1
            if start < stop:
                yield start, stop

    def get(self, position: int) -> Entry | None:
        """The one of that position, if it comes in turn."""
        return self.in_turn.get(position)

    def pop(self, position: int) -> Entry | None:
        """The same; it is its turn."""
        return self.in_turn.pop(position, None)

    def put_back(self, entry: Entry) -> None:
        """One that was spared is in its place again."""
        self.in_turn[entry.position] = entry

    def alone(self, position: int, limit: int) -> int:
        """How many, at most ``limit``, may be taken from that position on: such a one comes alone."""
        ahead = [at - position for at in self.among(position, position + limit) if at in self.in_turn]
        return max(1, ahead[0]) if ahead else limit

    def spare(self, start: int, stop: int) -> list[Entry]:
        """Of those positions, which are about to be dropped."""
        entries = [self.in_turn.pop(at) for at in self.among(start, stop) if at in self.in_turn]
        self.spared += entries
        return entries
