"""A queue's record together with its settled ranges, which are rows of a table of their own."""

from __future__ import annotations

import struct
from typing import Any

from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError, QueueRecord
from hub.store.settled import SettledRows


def read_books(tables: t.Tables, transaction: Any, value: Any) -> QueueRecord:
    """The record with its ranges. :raises DamagedError: it is not as written, or a row of its ranges is not."""
    record = r.unseal(r.QUEUE, r.queues, value)
    record.ranges = [*record.ranges, *rows_of(tables, transaction, record.number)]
    return record


def rows_of(tables: t.Tables, transaction: Any, queue: int) -> list[Range]:
    """The ranges of that queue. :raises DamagedError: a row can't be read."""
    try:
        return SettledRows(transaction.cursor(tables.settled), queue, 0.0).ranges()
    except struct.error as error:
        raise DamagedError(f"the settled ranges of queue {queue} can't be read: {error}") from error
