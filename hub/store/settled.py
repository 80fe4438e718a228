"""Settled positions above a queue's floor, in a row for each range, so that a commit writes only changed ranges.

200,000 messages that wait for a retry make as many ranges. In the queue's record, all of them would be written at each
commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import QueueRecord, RangeRecord
from hub.store.window import AckWindow


class SettledRows:
    """Rows of one queue.

    :param cursor: cursor of the table ``settled``. :param created_at: epoch seconds of the queue's creation.
    """

    def __init__(self, cursor: Any, queue: int, created_at: float) -> None:
        self._cursor = cursor
        self._queue = queue
        self._created_at = created_at

    def ranges(self) -> list[Range]:
        """All settled ranges. :raises DamagedError: a row is not as it was written."""
        return [range_of(value) for _, value in t.rows_of(self._cursor, self._queue)]

    def replace(self, ranges: Iterable[Range]) -> None:
        """Replace all rows by these ranges."""
        self._delete(0, t.END)
        for start, stop in ranges:
            self._put(start, stop)

    def note(self, window: AckWindow, settled: Iterable[Range], limit: int) -> None:
        """Write the ranges of the window that contain newly settled positions.

        :param settled: positions settled since the last commit, ascending, below ``limit``.
        :param limit: first position that is not stored; it and all later ones are not written.
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
        """Delete the rows of ranges that begin from ``start`` up to ``stop``."""
        more = self._cursor.set_range(t.place_key(self._queue, start))
        while more and (place := t.place_of(self._cursor.key()))[0] == self._queue and place[1] < stop:
            self._cursor.delete()
            more = bool(self._cursor.key())


def row(record: RangeRecord) -> tuple[bytes, bytes]:
    """Key and value of a row."""
    return t.place_key(record.queue, record.start), bytes(r.seal(r.RANGE, record))


def range_of(value: Any) -> Range:
    """The range of a row. :raises DamagedError: the row is not as it was written."""
    record = r.unseal(r.RANGE, r.ranges, value)
    return record.start, record.stop


def put_record(tables: t.Tables, transaction: Any, record: QueueRecord) -> None:
    """Write a queue's record of format 1, with its settled ranges as rows."""
    with transaction.cursor(tables.settled) as cursor:
        SettledRows(cursor, record.number, record.created_at).replace(record.ranges)
    record.ranges = []
    transaction.put(t.queue_key(record.number), bytes(r.seal(r.QUEUE, record)), db=tables.queues)
