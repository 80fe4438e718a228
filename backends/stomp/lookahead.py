"""Lookahead: the messages of a queue that wait for a subscription whose selector they match, while others overtake
them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from operator import attrgetter

from hub.backends.stomp.selector import Matches
from hub.declarations import QueueReader, Taken

MOST_MESSAGES = 10_000
MOST_BYTES = 16 << 20
"""Bounds of what is looked at and not wanted, in messages and in bytes of their bodies. Beyond it nothing more is taken
from the queue: what is behind waits, whoever may want it."""
LOOK_AT_ONCE = 1000
"""Messages that are taken again, or given back, under the queue's lock at a time."""
SPARE = 64
"""Rows of messages that others have taken, in the list of a selector, before they are removed."""

_position = attrgetter("position")

Row = tuple[int, int]
"""The priority of a message, negated, and its position: so rows are in the order of delivery."""


class Lookahead:
    """Messages that were taken from a queue, and were not wanted so far. They are set aside in the queue, and taken
    again when somebody wants them.

    For each selector there is a list of the messages that match it, so that a message is matched once, and found at
    once.

    :param reader: of the queue.
    """

    def __init__(self, reader: QueueReader) -> None:
        self._reader = reader
        self._held: dict[int, Taken] = {}
        self._size = 0
        self._lists: dict[Matches | None, list[Row]] = {}
        self._in_hand: set[int] = set()
        """Positions of those that are not set aside yet."""

    def __len__(self) -> int:
        return len(self._held)

    @property
    def full(self) -> bool:
        """True if no more may be looked at."""
        return len(self._held) >= MOST_MESSAGES or self._size >= MOST_BYTES

    def serve(self, selectors: Iterable[Matches | None]) -> None:
        """Have a list for each of these selectors, and for no others. ``None`` matches all messages."""
        wanted = {*selectors}
        for selector in self._lists.keys() - wanted:
            del self._lists[selector]
        for selector in wanted - self._lists.keys():
            rows = [_row(one) for one in self._held.values() if selector is None or selector(one.current)]
            heapify(rows)
            self._lists[selector] = rows

    def add(self, taken: Sequence[Taken]) -> None:
        """Add messages that were just taken from the queue."""
        for one in taken:
            self._add(one)
            self._in_hand.add(one.position)

    def add_returned(self, taken: Sequence[Taken]) -> None:
        """Add messages that a client had in its hand."""
        for one in taken:
            self._add(one)
        self._reader.set_aside(taken, delivered=True)

    def _add(self, one: Taken) -> None:
        self._held[one.position] = one
        self._size += len(one.current.body)
        for selector, rows in self._lists.items():
            if selector is None or selector(one.current):
                heappush(rows, _row(one))
                if len(rows) > 2 * len(self._held) + SPARE:  # most of them were taken by others
                    rows[:] = [row for row in rows if row[1] in self._held]
                    heapify(rows)

    def take(self, selector: Matches | None, limit: int) -> Sequence[Taken]:
        """Take the first messages that match, at most ``limit``, to deliver or to settle them."""
        rows, found = self._lists[selector], list[Taken]()
        while rows and len(found) < limit:
            one = self._held.get(heappop(rows)[1])
            if one is not None:
                found.append(one)
                self._forget(one)
        return self._reclaimed(found)

    def take_one(self, position: int) -> Sequence[Taken]:
        """Take the message at a position, if it is here."""
        one = self._held.get(position)
        if one is None:
            return ()
        self._forget(one)
        return self._reclaimed([one])

    def _forget(self, one: Taken) -> None:
        del self._held[one.position]
        self._size -= len(one.current.body)

    def _reclaimed(self, found: list[Taken]) -> Sequence[Taken]:
        """Those of messages that are still in the queue."""
        aside = [one for one in found if one.position not in self._in_hand]
        self._in_hand.difference_update([one.position for one in found])
        if not aside:
            return found
        there = {one.position for one in self._reader.reclaim(aside)}
        gone = {one.position for one in aside} - there
        return [one for one in found if one.position not in gone] if gone else found

    def settle_down(self) -> None:
        """Set aside all that nobody has taken."""
        if self._in_hand:
            self._reader.set_aside([self._held[position] for position in sorted(self._in_hand)], delivered=False)
            self._in_hand.clear()

    def look_over(self) -> Iterator[Taken]:
        """Forget what was dropped from the queue. Gives all others, each in hand until a later one is."""
        for part in self._parts():
            yield from part
            self.settle_down()

    def _parts(self) -> Iterator[Sequence[Taken]]:
        """Take all again that are still in the queue, part by part, and forget the others."""
        self.settle_down()
        held = sorted(self._held.values(), key=_position)
        for first in range(0, len(held), LOOK_AT_ONCE):
            part = held[first : first + LOOK_AT_ONCE]
            there = self._reclaimed(part)
            self._in_hand.update([one.position for one in there])
            for one in part:
                if one.position not in self._in_hand:
                    self._forget(one)
            yield there

    def give_back(self) -> None:
        """Give all back to the queue."""
        for part in self._parts():
            self._reader.give_back(part, delivered=False)
        self._held.clear()
        self._in_hand.clear()
        self._lists.clear()
        self._size = 0


def _row(one: Taken) -> Row:
    return -one.priority, one.position
