"""The dead letters of one queue in one transaction: written, deleted, and given up where they are too many. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hub.deadletter import DeadLetter
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError

ROW = 200
"""Bytes of a row beside its message's body and its traceback, about."""
AT_ONCE = 512
"""Letters that are given up for their age in one commit: each has to be read."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Of letters. :ivar size: bytes."""

    count: int = 0
    size: int = 0


@dataclass(frozen=True)
class LetterLimits:
    """How much is kept: of more than that the oldest go, but for the last one, whatever its size.

    :ivar size: bytes of all together. :ivar age: seconds since they were buried; ``None``: any.
    """

    count: int = 1_000_000_000
    size: int = 1 << 60
    age: float | None = None

    @classmethod
    def of(cls, count: int, size: int | None, age: float | None) -> LetterLimits:
        """With ``None`` for no bound on their size."""
        return cls(count, cls.size if size is None else size, age)


def size_of(letter: DeadLetter) -> int:
    """Bytes that it takes on the disk, about."""
    return ROW + len(letter.message.body) + len(letter.traceback)


class LetterRows:
    """The rows of the queue of that number."""

    def __init__(self, tables: t.Tables, transaction: Any, queue: int) -> None:
        self._tables, self._transaction, self._queue = tables, transaction, queue

    def write(self, letters: Iterable[tuple[int, DeadLetter]]) -> Amount:
        """These, by number."""
        count = size = 0
        for number, letter in letters:
            value = r.seal(r.LETTER, r.LetterRecord.of(self._queue, number, letter))
            self._transaction.put(t.place_key(self._queue, number), value, db=self._tables.letters)
            count, size = count + 1, size + len(value)
        return Amount(count, size)

    def remove(self, numbers: Iterable[int]) -> Amount:
        """Those of these numbers that are there."""
        return self._delete([t.place_key(self._queue, number) for number in numbers])

    def total(self) -> Amount:
        """All that there are."""
        sizes = [len(value) for _, value in self._rows()]
        return Amount(len(sizes), sum(sizes))

    def evict(self, kept: Amount, limits: LetterLimits, oldest: float | None) -> Amount:
        """The oldest, for there are too many, or they take too much.

        :param kept: how many there are. :param oldest: epoch seconds; who was buried before goes too.
        """
        gone: list[bytes] = []
        size = kept.size
        for key, value in self._rows():
            left = kept.count - len(gone)
            if left <= limits.count and (size <= limits.size or left <= 1):
                break
            gone.append(key)
            size -= len(value)
        if oldest is not None and len(gone) < kept.count:
            gone += self._buried_before(oldest, len(gone))
        return self._delete(gone)

    def _buried_before(self, oldest: float, skip: int) -> list[bytes]:
        """Of those after the first ``skip``. One from while the clock was ahead is as old as the next that is not."""
        gone: list[bytes] = []
        younger: list[bytes] = []
        for at, (key, value) in enumerate(self._rows()):
            if at < skip:
                continue
            if at >= skip + AT_ONCE:
                break
            younger.append(key)
            if _buried_at(value) < oldest:
                gone += younger
                younger = []
        return gone

    def _rows(self) -> Iterator[tuple[bytes, bytes]]:
        with self._transaction.cursor(self._tables.letters) as cursor:
            found = cursor.set_range(t.place_key(self._queue, 0))
            while found and t.place_of(cursor.key())[0] == self._queue:
                yield bytes(cursor.key()), cursor.value()
                found = cursor.next()

    def _delete(self, keys: Iterable[bytes]) -> Amount:
        count = size = 0
        for key in keys:
            value = self._transaction.get(key, db=self._tables.letters)
            if value is not None and self._transaction.delete(key, db=self._tables.letters):
                count, size = count + 1, size + len(value)
        return Amount(count, size)


def _buried_at(value: bytes) -> float:
    """Infinite where it can't be read: nobody knows."""
    try:
        return r.unseal(r.LETTER, r.letters, value).buried_at
    except DamagedError:
        return float("inf")
