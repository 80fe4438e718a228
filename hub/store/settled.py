"""Settled positions above a queue's floor, as rows: one for each range, so that a commit writes only what changed.

With 200,000 messages that wait for a retry there are as many ranges. In the queue's record they would all be written
at each commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import QueueRecord, RangeRecord
from hub.store.window import AckWindow


class SettledRows:
    """Of one queue.

    :param cursor: on the table ``settled``. :param created_at: the queue's.
    """

    def __init__(self, cursor: Any, queue: int, created_at: float) -> None:
        self._cursor = cursor
        self._queue = queue
        self._created_at = created_at

    def ranges(self) -> list[Range]:
        """All of them. :raises DamagedError: one is not as written."""
        return [range_of(value) for value in self._values()]

    def _values(self) -> Iterator[Any]:
        more = self._cursor.set_range(t.place_key(self._queue, 0))
        while more and t.place_of(self._cursor.key())[0] == self._queue:
            yield self._cursor.value()
            more = self._cursor.next()

    def replace(self, ranges: Iterable[Range]) -> None:
        """Have these, and no others."""
        self._delete(0, t.END)
        for start, stop in ranges:
            self._put(start, stop)

    def note(self, window: AckWindow, settled: Iterable[Range], limit: int) -> None:
        """Write the ranges of the window that these positions, settled since the last commit, are a part of.

        :param settled: ascending, below ``limit``.
        :param limit: the first position that is not stored; nothing is written of it and those after it.
        """
        done = min(window.floor, limit)
        self._delete(0, done)
        for start, _ in settled:
            if start < done:
                continue
            first, after = window.around(start)
            done = min(after, limit)
            self._delete(first + 1, done)
            self._put(first, done)

    def _put(self, start: int, stop: int) -> None:
        self._cursor.put(*row(RangeRecord(self._queue, self._created_at, start, stop)))

    def _delete(self, start: int, stop: int) -> None:
        """The rows of ranges that begin there."""
        more = self._cursor.set_range(t.place_key(self._queue, start))
        while more and (place := t.place_of(self._cursor.key()))[0] == self._queue and place[1] < stop:
            self._cursor.delete()
            more = bool(self._cursor.key())


def row(record: RangeRecord) -> tuple[bytes, bytes]:
    """Its key and its value."""
    return t.place_key(record.queue, record.start), bytes(r.seal(r.RANGE, record))


def range_of(value: Any) -> Range:
    """What a row says. :raises DamagedError: it is not as written."""
    record = r.unseal(r.RANGE, r.ranges, value)
    return record.start, record.stop


def put_record(tables: t.Tables, transaction: Any, record: QueueRecord) -> None:
    """Write a queue's record that holds its settled ranges: these as rows."""
    with transaction.cursor(tables.settled) as cursor:
        SettledRows(cursor, record.number, record.created_at).replace(record.ranges)
    record.ranges = []
    transaction.put(t.queue_key(record.number), bytes(r.seal(r.QUEUE, record)), db=tables.queues)
