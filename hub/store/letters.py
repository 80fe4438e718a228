"""Dead letters of one queue in one transaction: they are written, deleted and evicted. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.deadletter import DeadLetter
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError
from hub.store.values import content_size

ROW = 200
"""Bytes of a row without the body, the headers and the traceback, an estimate."""
AT_ONCE = 512
"""Most letters that are evicted for their age in one commit: each must be read."""


class Amount(msgspec.Struct, frozen=True):
    """A number of dead letters. :ivar size: their bytes."""

    count: int = 0
    size: int = 0


@dataclass(frozen=True)
class LetterLimits:
    """Limits of dead letters. Beyond them the oldest are evicted; the newest one always stays.

    :ivar size: bytes of all. :ivar age: seconds since burial; ``None``: no limit.
    """

    count: int = 1_000_000_000
    size: int = 1 << 60
    age: float | None = None

    @classmethod
    def of(cls, count: int, size: int | None, age: float | None) -> LetterLimits:
        """Make limits. :param size: ``None``: no limit."""
        return cls(count, cls.size if size is None else size, age)


def size_of(letter: DeadLetter) -> int:
    """Bytes of a dead letter on the disk, an estimate."""
    return ROW + content_size(letter.message) + len(letter.traceback)


class LetterRows:
    """Rows of the dead letters of one queue. :param queue: its number."""

    def __init__(self, tables: t.Tables, transaction: Any, queue: int) -> None:
        self._tables, self._transaction, self._queue = tables, transaction, queue

    def write(self, letters: Iterable[tuple[int, DeadLetter]]) -> Amount:
        """Write dead letters with their numbers. Returns their amount."""
        count = size = 0
        for number, letter in letters:
            value = r.seal(r.LETTER, r.LetterRecord.of(self._queue, number, letter))
            self._transaction.put(t.place_key(self._queue, number), value, db=self._tables.letters)
            count, size = count + 1, size + len(value)
        return Amount(count, size)

    def remove(self, numbers: Iterable[int]) -> Amount:
        """Delete dead letters by number. Returns the amount of those that existed."""
        count = size = 0
        for number in numbers:
            key = t.place_key(self._queue, number)
            value = self._transaction.get(key, db=self._tables.letters)
            if value is not None and self._transaction.delete(key, db=self._tables.letters):
                count, size = count + 1, size + len(value)
        return Amount(count, size)

    def total(self) -> Amount:
        """The amount of all dead letters."""
        sizes = [len(value) for _, value in self._rows()]
        return Amount(len(sizes), sum(sizes))

    def evict(self, kept: Amount, limits: LetterLimits, oldest: float | None) -> Amount:
        """Evict the oldest dead letters beyond the limits. Returns their amount.

        :param kept: the present amount. :param oldest: epoch seconds; letters buried before are evicted too.
        """
        gone: list[int] = []
        size = kept.size
        for number, value in self._rows():
            left = kept.count - len(gone)
            if left <= limits.count and (size <= limits.size or left <= 1):
                break
            gone.append(number)
            size -= len(value)
        if oldest is not None and len(gone) < kept.count:
            gone += self._buried_before(oldest, len(gone))
        return self.remove(gone)

    def _buried_before(self, oldest: float, skip: int) -> list[int]:
        """Numbers of old letters after the first ``skip``. One with a time in the future has the age of the next."""
        gone: list[int] = []
        younger: list[int] = []
        for at, (number, value) in enumerate(self._rows()):
            if at < skip:
                continue
            if at >= skip + AT_ONCE:
                break
            younger.append(number)
            if _buried_at(value) < oldest:
                gone += younger
                younger = []
        return gone

    def _rows(self) -> Iterator[tuple[int, bytes]]:
        with self._transaction.cursor(self._tables.letters) as cursor:
            yield from t.rows_of(cursor, self._queue)


def _buried_at(value: bytes) -> float:
    """Epoch seconds of burial; infinite for an unreadable letter."""
    try:
        return r.unseal(r.LETTER, r.letters, value).buried_at
    except DamagedError:
        return math.inf
