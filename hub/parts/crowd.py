"""Crowds: many declared queues, whose numbers are summed in one row of the status.

Queues that belong to single clients of a backend have names that come and go with these. Exporters keep each name that
they were ever shown, so they are shown the sums in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hub.parts.queue_entry import QueueEntry
from hub.queue.stored import StoredQueue
from hub.stats.counters import Counters, QueueStats

MOST_ROWS = 100
"""Most declared queues in memory that have a row each: a row costs the reactor's thread 50 us, and a thousand clients
may have one each."""


class CrowdLetters(StoredQueue):
    """The dead letters of a crowd."""

    def __init__(self, name: str) -> None:
        self.name, self.durable = name, False
        self.kept = self.lost = 0

    def shown(self) -> None:
        """``None``: show current counters."""

    @property
    def kept_letters(self) -> int:
        """Number of dead letters that are kept."""
        return self.kept

    @property
    def lost_letters(self) -> int:
        """Number of dead letters that were evicted for newer ones; only grows."""
        return self.lost


class Crowd(QueueEntry):
    """A crowd. Its numbers are sums as of the last sample.

    Its counters only grow: what deleted queues have counted stays. They begin with the hub: what a durable queue has
    settled before is not counted, what it holds is counted as received.

    :ivar largest_backlog: that of the one queue that has the most.
    """

    stored: CrowdLetters

    def __init__(self, name: str, kind: str | None) -> None:
        super().__init__(CrowdLetters(name), drained_by="several", kind=kind)
        self.largest_backlog = self.readers = 0
        self._entries: dict[str, QueueEntry] = {}
        self._readings: dict[str, QueueStats] = {}
        self._sums = Counters()
        self._lost = 0
        self._stats = QueueStats(Counters(), 0, 0, None)

    def __len__(self) -> int:
        """Number of its queues."""
        return len(self._entries)

    @property
    def declared(self) -> bool:
        """True: backends have declared its queues."""
        return True

    @property
    def of_one_client(self) -> bool:
        """True: each of its queues belongs to one client."""
        return True

    def add(self, entry: QueueEntry) -> None:
        """Add a queue."""
        self._entries[entry.name] = entry
        stats = self._readings[entry.name] = entry.stats()
        self._sums.received += stats.counters.backlog
        self._lost -= entry.stored.lost_letters

    def remove(self, name: str) -> None:
        """Remove a queue that is being deleted. What it had left counts as purged."""
        entry = self._entries.pop(name)
        stats, before = entry.stats(), self._readings.pop(name)
        self._grow(stats, before)
        self._sums.dropped_purged += stats.counters.backlog
        self._lost += entry.stored.lost_letters + entry.stored.kept_letters

    def stats(self, last: QueueStats | None = None) -> QueueStats:
        """The sums."""
        return self._stats

    def sample(self, now: float) -> QueueStats:
        """Read the queues that have changed, record and return the sums."""
        readings = self._readings
        for name, entry in self._entries.items():
            before = readings[name]
            stats = entry.stats(before)
            if stats is not before:
                readings[name] = stats
                self._grow(stats, before)
        all_ = readings.values()
        oldest = min([one.oldest_received_at for one in all_ if one.oldest_received_at is not None], default=None)
        in_flight, delayed = sum([one.in_flight for one in all_]), sum([one.delayed for one in all_])
        self._stats = QueueStats(replace(self._sums), in_flight, delayed, oldest)
        self.largest_backlog = max([one.counters.backlog for one in all_], default=0)
        self.readers = sum([entry.readers or 0 for entry in self._entries.values()])
        with_letters = [entry.stored for name, entry in self._entries.items() if readings[name].counters.dead]
        self.stored.kept = sum([stored.kept_letters for stored in with_letters])
        self.stored.lost = self._lost + sum([stored.lost_letters for stored in with_letters])
        return super().sample(now)

    def _grow(self, stats: QueueStats, before: QueueStats) -> None:
        sums, old = vars(self._sums), vars(before.counters)
        for name, count in vars(stats.counters).items():
            sums[name] += count - old[name]


class Crowds:
    """The crowds of a hub, and the queues in memory that have a row of their own for as long as they are there."""

    def __init__(self) -> None:
        self._shown: set[str] = set()
        self._hidden: set[str] = set()
        self._crowds: dict[str, Crowd] = {}
        self._places: dict[str, Crowd] = {}

    def __iter__(self) -> Iterator[Crowd]:
        return iter(self._crowds.values())

    def add(self, entry: QueueEntry, now: float | None = None) -> None:
        """Add a declared queue. One that names no crowd is in one only where it has no row of its own.

        :param now: as of ``Queues.add``, for a new crowd.
        """
        hidden = not entry.stored.durable and len(self._shown) >= MOST_ROWS
        if hidden:
            self._hidden.add(entry.name)
        elif not entry.stored.durable:
            self._shown.add(entry.name)
        entry.summed_in = entry.crowd or (f"more of {entry.kind or 'a backend'}" if hidden else None)
        if entry.summed_in is not None:
            if entry.summed_in not in self._crowds:
                crowd = self._crowds[entry.summed_in] = Crowd(entry.summed_in, entry.kind)
                if now is not None:
                    crowd.sample(now)
            crowd = self._places[entry.name] = self._crowds[entry.summed_in]
            crowd.add(entry)

    def remove(self, name: str) -> None:
        """Remove a queue that is being deleted, if it is there."""
        self._shown.discard(name)
        self._hidden.discard(name)
        if (crowd := self._places.pop(name, None)) is not None:
            crowd.remove(name)

    def hides(self, name: str) -> bool:
        """Tell whether a queue has no row but that of a crowd."""
        return name in self._hidden

    def named(self, name: str) -> bool:
        """Tell whether a crowd is called that."""
        return name in self._crowds
