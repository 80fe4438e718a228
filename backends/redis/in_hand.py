"""Entries that the hub has in hand: read from a stream, and not acknowledged. Pure, but for its lock."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence

import msgspec


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An entry of a stream; the token by which the hub confirms it. It outlives the connection, as the server knows
    who has an entry by the group's name and the consumer's."""

    stream: str
    id: bytes


class InHand:
    """Entries in hand, by stream, and those to acknowledge. Threads share it.

    :param most: entries that may be in hand at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._ids: dict[str, set[bytes]] = {}
        self._settled: list[Entry] = []
        self._count = 0
        self._woken = False
        self._stops = False

    def __len__(self) -> int:
        """Number of entries that are not acknowledged."""
        return self._count

    @property
    def room(self) -> int:
        """Number of entries that may be read now."""
        return max(0, self._most - self._count)

    def add(self, stream: str, ids: Iterable[bytes]) -> None:
        """Note entries that were read."""
        with self._changed:
            known = self._ids.setdefault(stream, set())
            before = len(known)
            known.update(ids)
            self._count += len(known) - before

    def of(self, stream: str) -> frozenset[bytes]:
        """Ids of entries in hand."""
        with self._changed:
            return frozenset(self._ids.get(stream, ()))

    def without(self, stream: str, ids: Sequence[bytes]) -> frozenset[bytes]:
        """Those of the ids that are not in hand."""
        with self._changed:
            return frozenset(ids) - self._ids.get(stream, set())

    def settle(self, entries: Collection[Entry]) -> None:
        """Have entries acknowledged."""
        with self._changed:
            self._settled.extend(entries)
            self._changed.notify_all()

    def take_settled(self, timeout: float) -> list[Entry]:
        """Take the entries to acknowledge; wait for some. :param timeout: seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._settled or self._stops, timeout)
            taken, self._settled = self._settled, []
            return taken

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Put entries back that could not be acknowledged."""
        with self._changed:
            self._settled[:0] = entries

    def acknowledged(self, entries: Iterable[Entry]) -> None:
        """Forget entries that are acknowledged."""
        with self._changed:
            for entry in entries:
                known = self._ids.get(entry.stream, set())
                if entry.id in known:
                    known.remove(entry.id)
                    self._count -= 1
            self._changed.notify_all()

    def wait_for_room(self, timeout: float) -> None:
        """Wait until more may be read. :param timeout: seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.room or self._stops, timeout)

    def wait_for_wake(self, timeout: float) -> None:
        """Wait until :meth:`wake` is called. :param timeout: seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stops, timeout)
            self._woken = False

    def wake(self) -> None:
        """End the waits: reading goes on after a pause."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """End all waits from now on."""
        with self._changed:
            self._stops = True
            self._changed.notify_all()
