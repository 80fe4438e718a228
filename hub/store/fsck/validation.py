"""Validates single records: a valid checksum only means that a record is as it was written."""

from __future__ import annotations

import math
import struct
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from hub.store import Try
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError, QueueRecord
from hub.store.settled import SettledRows
from hub.store.window import AckWindow
from hub.text import counted


def read_page(value: Any) -> r.Page:
    """Read a page. :raises DamagedError: it is damaged, or its columns do not fit together."""
    page = r.unseal(r.PAGE, r.pages, value)
    columns = (page.topics, page.headers, page.received_at, page.backends)
    count = len(page.ids)
    chosen = [index for _, _, indexes in page.shares if indexes is not None for index in indexes]
    if len(page.bodies) != count or any(len(column) not in (1, count) for column in columns):
        raise DamagedError("its columns are not of one length")
    if any(not 0 <= index < count for index in chosen):
        raise DamagedError("it has messages for a queue that it does not list")
    return page


def shares_of(page: r.Page) -> list[tuple[int, int, int]]:
    """Shares of a page: for each queue its number, the position of its first message, and the number of messages."""
    return [(queue, start, len(page.ids if mine is None else mine)) for queue, start, mine in page.shares]


def read_queue(tables: t.Tables, transaction: Any, value: Any) -> QueueRecord:
    """Read a queue's record with its settled ranges, which are rows of another table.

    :raises DamagedError: it is damaged, or one of those rows is.
    """
    record = r.unseal(r.QUEUE, r.queues, value)
    read_ranges(tables, transaction, record)
    return record


def read_ranges(tables: t.Tables, transaction: Any, record: QueueRecord) -> None:
    """Read the settled ranges of a queue into its record. :raises DamagedError: a row can't be read."""
    try:
        record.ranges += SettledRows(transaction.cursor(tables.settled), record.number, 0.0).ranges()
    except struct.error as error:
        raise DamagedError(f"the settled ranges of queue {record.number} can't be read: {error}") from error


def waits(window: AckWindow, record: QueueRecord, position: int) -> bool:
    """True if the message at a position is not settled, so that it may have a record of its attempts."""
    return not window.is_finished(position) and position < record.next_position


def plausible(one: Try) -> bool:
    """True if the times in a record of attempts can be."""
    return all(math.isfinite(seconds) and seconds >= 0 for seconds in (one.due, one.delay))


def spent_value(spent: bytes | None, stored_at: float) -> bytes:
    """The row of a page that no queue needs. A time earlier than ``stored_at`` is kept: the page was stored while the
    clock was ahead.

    :param spent: the row that is there.
    """
    value = t.time_value(stored_at)
    return spent if spent is not None and len(spent) == len(value) and t.time_of(spent) < stored_at else value


def contradiction(record: QueueRecord) -> str:
    """Describe a contradiction in a queue's record; empty: there is none."""
    edges = [record.floor, *(edge for range_ in record.ranges for edge in range_)]
    if record.floor < 0 or any(before >= after for before, after in pairwise(edges)):
        return "its settled ranges are not in order"
    if edges[-1] > record.next_position:
        return f"positions up to {edges[-1]} are settled, and only {record.next_position} are assigned"
    negative = [name for name, count in asdict(record.counters).items() if count < 0]
    if negative:
        return f"{', '.join(negative)} below 0"
    if min(record.letters, record.lost_letters, record.next_letter - record.letters - 1) < 0:
        return f"{counted(record.letters, 'dead letter')}, and the next is number {record.next_letter}"
    return ""
