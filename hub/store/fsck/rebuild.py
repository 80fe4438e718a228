"""A queue's record, made anew from what there is when its own can't be read."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from typing import Any

import msgspec

from hub.stats.counters import Counters
from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import merged
from hub.store.fsck.books import rows_of
from hub.store.fsck.sense import contradiction, read_page
from hub.store.records import DamagedError, QueueRecord
from hub.store.window import AckWindow, gaps


def rebuild(
    tables: t.Tables, transaction: Any, number: int, older: QueueRecord | None, value: bytes, names: Collection[str]
) -> QueueRecord:
    """What the index leads to is not settled, all else is; a partly settled page comes back whole, but for what an
    older record knows.

    :param older: a record of that queue that is out of date, if one is left. :param value: the damaged one.
    :param names: of the other queues.
    """
    rows = _rows(tables, transaction, number)
    base = older if older is not None and not contradiction(older) else None
    oldest, end, size = _in_pages(tables, transaction, number, base.created_at if base else 0.0)
    cursor = transaction.cursor(tables.index)
    open_ = merged((start, start + count) for start, _, count in t.covering(cursor, number, 0))
    next_position = max([end, *(stop for _, stop in open_), base.next_position if base else 0])
    window = _window(open_, next_position, base, rows)
    kept = [t.place_of(key)[1] for key in t.keys_of(transaction.cursor(tables.letters), number)]
    return QueueRecord(
        number=number,
        name=base.name if base else _name(number, value, names),
        created_at=base.created_at if base else oldest,
        next_position=next_position,
        floor=window.floor,
        ranges=window.ranges,
        counters=base.counters if base else Counters(),
        unread_bytes=size,
        next_letter=max([0, *kept, base.next_letter - 1 if base else 0]) + 1,
        letters=len(kept),
        lost_letters=base.lost_letters if base else 0,
        commit=base.commit + 1 if base else 1,
        beginning=base.beginning if base else None,
    )


def _rows(tables: t.Tables, transaction: Any, number: int) -> list[Range]:
    """Its settled ranges, if they can be read, and make sense; else none."""
    try:
        rows = rows_of(tables, transaction, number)
    except DamagedError:
        return []
    edges = [edge for row in rows for edge in row]
    return rows if all(before < after for before, after in pairwise(edges)) else []


def _window(open_: list[Range], next_position: int, older: QueueRecord | None, rows: list[Range]) -> AckWindow:
    settled = [*gaps(0, next_position, sorted(open_)), *((start, min(stop, next_position)) for start, stop in rows)]
    if older is not None:
        settled += [(0, older.floor), *older.ranges]
    window = AckWindow()
    window.restore((start, stop) for start, stop in merged(settled) if start < stop)
    return window


def _in_pages(tables: t.Tables, transaction: Any, number: int, since: float) -> tuple[float, int, int]:
    """When the oldest page that the queue needs was stored; the position after the last in any; bytes of what waits."""
    oldest, end, size = 0.0, 0, 0
    for _, value in transaction.cursor(tables.pages).iternext():
        try:
            page = read_page(value)
        except DamagedError:
            continue
        for queue, start, indexes in page.shares:
            if queue != number or page.stored_at < since:
                continue
            bodies = page.bodies if indexes is None else [page.bodies[index] for index in indexes]
            end = max(end, start + len(bodies))
            if transaction.get(t.place_key(number, start), db=tables.index) is not None:
                oldest = oldest or page.stored_at
                size += sum(map(len, bodies))
    return oldest, end, size


def _name(number: int, value: bytes, names: Collection[str]) -> str:
    """From the damaged record, if it has one that can be read: it is likely to be right."""
    try:
        found = msgspec.msgpack.decode(value[r.HEAD_SIZE :])[1]
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, LookupError):
        found = None
    if isinstance(found, str) and found and found.isprintable() and found not in names:
        return found
    return f"queue-{number}"
