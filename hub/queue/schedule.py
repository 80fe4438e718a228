"""Schedule of messages outside the ready window: delayed, recovered at the start, or in key order. Pure: no lock."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from operator import attrgetter
from typing import Generic

from hub.message import DEFAULT_PRIORITY
from hub.queue.delivery import Entry
from hub.queue.lazy_heap import Item, LazyHeap
from hub.store import Range

POSITION = attrgetter("position")
AT_FRONT = float("-inf")
"""Due time of a message that was given back: it comes before all others, in the order of positions."""

RIPEN_AT_ONCE = 1000
"""Most delayed messages that are given their place under the queue's lock at a time."""


def rank(position: int, priority: int) -> int:
    """A number that is lower for a message that comes earlier: by priority, then by position."""
    return position - ((priority - DEFAULT_PRIORITY) << 62)


class Delays(Generic[Item]):
    """Items by due time, in monotonic seconds.

    :param is_gone: as in :class:`hub.queue.lazy_heap.LazyHeap`; ``None``: items are only popped and removed.
    """

    def __init__(self, is_gone: Callable[[Item], bool] | None = None) -> None:
        self._heap: LazyHeap[Item] = LazyHeap() if is_gone is None else LazyHeap(is_gone)
        self._order = count()
        self.forget, self.remove = self._heap.forget, self._heap.remove

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def next_due(self) -> float | None:
        """Monotonic seconds at which the first item is due."""
        first = self._heap.first
        return None if first is None else first[0]

    def add(self, due: float, item: Item, order: int | None = None) -> None:
        """Add an item. Items with the same due time keep their order. :param order: another order among them."""
        self._heap.push(due, next(self._order) if order is None else order, item)

    @property
    def head(self) -> Item | None:
        """The item that is due first."""
        first = self._heap.first
        return None if first is None else first[2]

    def first(self, now: float) -> Item | None:
        """Return the item that ``pop`` would return, without removing it."""
        first = self._heap.first
        return first[2] if first is not None and first[0] <= now else None

    def pop(self, now: float) -> Item | None:
        """Remove and return the first item that is due, or ``None``."""
        first = self._heap.first
        return self._heap.pop() if first is not None and first[0] <= now else None


class Recovered:
    """Recovered messages waited for a retry when the hub ended.

    Without keys, their entries are in the schedule from the start, and reading skips their positions. With keys they
    come *in turn*: they are read and sorted with their neighbours. If the neighbours are dropped first, they are
    *exempt*: read separately, and returned to their place.

    :ivar in_turn: entries by position.
    """

    def __init__(self) -> None:
        self.in_turn: dict[int, Entry] = {}
        self.exempted: list[Entry] = []
        self._positions: list[int] = []

    def __len__(self) -> int:
        return len(self.in_turn) + len(self.exempted)

    def add(self, entries: Mapping[int, Entry], with_keys: bool) -> None:
        """Add the entries, at the start."""
        self._positions = sorted(entries)
        if with_keys:
            self.in_turn.update(entries)

    def leave_out_later(self, positions: range, loaded: int) -> None:
        """Leave out further positions, which are in the schedule too. :param loaded: those below it were read."""
        if self._positions and self._positions[0] < loaded and not self:
            del self._positions[: bisect_left(self._positions, loaded)]
        self._positions += positions

    def among(self, start: int, stop: int) -> list[int]:
        """Positions from ``start`` up to ``stop`` that are, or were, recovered ones."""
        return self._positions[bisect_left(self._positions, start) : bisect_left(self._positions, stop)]

    def leave_out(self, ranges: Iterator[Range]) -> Iterator[Range]:
        """The ranges, without positions that are in the schedule."""
        for start, stop in ranges:
            for position in self.among(start, stop):
                if position not in self.in_turn:
                    if start < position:
                        yield start, position
                    start = position + 1
            if start < stop:
                yield start, stop

    def get(self, position: int) -> Entry | None:
        """The entry of a position, if it comes in turn."""
        return self.in_turn.get(position)

    def pop(self, position: int) -> Entry | None:
        """Remove and return the entry of a position, if it comes in turn."""
        return self.in_turn.pop(position, None)

    def put_back(self, entry: Entry) -> None:
        """Let an exempt entry come in turn again."""
        self.in_turn[entry.position] = entry

    def alone(self, position: int, limit: int) -> int:
        """Number of messages to take from ``position`` on, at most ``limit``. A recovered message is taken alone."""
        ahead = [at - position for at in self.among(position, position + limit) if at in self.in_turn]
        return max(1, ahead[0]) if ahead else limit

    def exempt(self, start: int, stop: int) -> list[Entry]:
        """Exempt the entries of positions that are about to be dropped. Returns them."""
        entries = [self.in_turn.pop(at) for at in self.among(start, stop) if at in self.in_turn]
        self.exempted += entries
        return entries


class Schedule:
    """Entries of one queue, by position; those that wait for a retry also by due time.

    :param most_size: most bytes of delayed messages in memory; beyond it they are unloaded.
    :ivar size: bytes of bodies in memory.
    """

    def __init__(self, most_size: int = sys.maxsize) -> None:
        self.size = 0
        self.recovered = Recovered()
        self._most_size = most_size
        self._begin()

    def _begin(self) -> None:
        self._entries: dict[int, Entry] = {}
        is_gone = partial(_gone_from, self._entries)  # of ``self`` it would be a cycle
        self._delays: Delays[Entry] = Delays(is_gone)
        self._front: Delays[Entry] = Delays(is_gone)
        """Entries that come before all others of their priority."""
        self._untried: LazyHeap[Entry] = LazyHeap(is_gone)
        """Those of them that were never tried, by priority and position."""
        self._delayed_size = 0

    @property
    def delayed(self) -> int:
        """Number of messages that wait for a retry, without those in key order."""
        return len(self._front) + len(self._delays) + len(self.recovered)

    @property
    def next_due(self) -> float | None:
        """Monotonic seconds at which the first retry is due."""
        return AT_FRONT if self._front else self._delays.next_due

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries that have left the ready window."""
        for entry in entries:
            self._entries[entry.position] = entry
            self.size += entry.size

    def remove(self, entry: Entry) -> None:
        """Remove an entry that is delivered or dropped."""
        del self._entries[entry.position]
        self.size -= entry.size

    def unloading(self, entry: Entry) -> None:
        """Account for an entry that is about to be unloaded. If it was never tried, it is removed."""
        if entry.attempts:
            self.size -= entry.size
        else:
            self.remove(entry)

    def loaded(self, size: int) -> None:
        """Account for messages that were read again. :param size: bytes of their bodies."""
        self.size += size

    def lost(self, position: int) -> None:
        """Remove the entry of an unreadable message."""
        self._entries.pop(position, None)

    def recover(self, entries: Mapping[int, Entry], with_keys: bool) -> None:
        """Add the recovered entries, at the start."""
        self.recovered.add(entries, with_keys)
        if not with_keys:
            self.add(entries.values())
            for entry in entries.values():
                self._plan(entry)

    def exempt(self, start: int, stop: int) -> None:
        """Keep the messages that wait for a retry among positions that are about to be dropped."""
        self.add(self.recovered.exempt(start, stop))

    def delay(self, entries: Sequence[Entry], due: float) -> None:
        """Delay entries. :param due: monotonic seconds."""
        self.add(entries)
        for entry in entries:
            if self._delayed_size > self._most_size:
                self.size -= entry.size
                entry.unload()
            self._delayed_size += entry.size
            entry.due = due
            self._plan(entry)

    def _plan(self, entry: Entry) -> None:
        if entry.due != AT_FRONT:
            self._delays.add(entry.due, entry)
            return
        self._front.add(AT_FRONT, entry, rank(entry.position, entry.priority))
        if _is_untried(entry):
            self._untried.push(entry.priority, entry.position, entry)

    @property
    def front(self) -> Entry | None:
        """The entry that comes before all others."""
        return self._front.head

    def front_before(self, position: int, priority: int) -> bool:
        """Tell whether a message was given back to the front that comes before one with this priority."""
        head = self._front.head
        return head is not None and rank(head.position, head.priority) < rank(position, priority)

    def ripen(self, now: float) -> None:
        """Give messages that are due their place among all others of the queue, by priority; the next call goes on."""
        for _ in range(RIPEN_AT_ONCE):
            if (entry := self._delays.pop(now)) is None:
                break
            entry.due = AT_FRONT
            self._plan(entry)

    def due(self, limit: int, now: float, before: int | None = None) -> list[Entry]:
        """Remove and return due retries with equal attempts: a batch that failed is retried as a batch.

        :param before: only those whose :func:`rank` is lower; the first one's is.
        """
        run: list[Entry] = []
        while len(run) < limit:
            delays = self._front if self._front else self._delays
            entry = delays.first(now)
            if entry is None or (run and not entry.may_follow(run[-1])):
                break
            if run and before is not None and rank(entry.position, entry.priority) >= before:
                break
            run.append(entry)
            delays.pop(now)
            self._delayed_size -= entry.size
            self._take(entry)
        if run and run[0].message is None:
            run.sort(key=POSITION)
        return run

    def _take(self, entry: Entry) -> None:
        """Remove an entry that is no more among ``_front`` or ``_delays``."""
        self.remove(entry)
        if entry.due == AT_FRONT and _is_untried(entry):
            self._untried.forget()

    def drop_untried(self) -> list[Entry]:
        """Remove and return delayed entries that were never delivered."""
        dropped = [one for delays in (self._front, self._delays) for one in delays.remove(lambda one: not one.attempts)]
        for entry in dropped:
            self._delayed_size -= entry.size
            self._take(entry)
        return dropped

    def discard(self, position: int) -> Entry | None:
        """Remove and return the entry of a position, in a queue without keys; ``None``: there is none."""
        if (entry := self._entries.get(position)) is None:
            return None
        self._delayed_size -= entry.size
        self._take(entry)
        (self._front if entry.due == AT_FRONT else self._delays).forget()
        return entry

    @property
    def first_untried(self) -> Entry | None:
        """Of the entries that were given back, or whose delay is over, and that were never tried, the one with the
        lowest priority, and among these with the lowest position."""
        first = self._untried.first
        return None if first is None else first[2]

    def clear(self) -> Mapping[int, Entry]:
        """Remove and return all entries of a queue without keys, by position."""
        found, self.size = self._entries, 0
        self._begin()
        return found

    def get(self, position: int) -> Entry | None:
        """The entry of a position, if there is one, recovered ones included."""
        return self._entries.get(position) or self.recovered.get(position)

    def outside(self, position: int) -> Entry | None:
        """The entry of a position, if the message is outside the ready window."""
        return self._entries.get(position)

    def entries(self) -> list[Entry]:
        """All entries outside the ready window."""
        return list(self._entries.values())


def _gone_from(entries: Mapping[int, Entry], entry: Entry) -> bool:
    return entries.get(entry.position) is not entry


def _is_untried(entry: Entry) -> bool:
    return not entry.attempts and not entry.kills
