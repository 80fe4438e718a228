"""Whether a record makes sense by itself; its checksum tells only that it is as it was written."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

from hub.store import records as r
from hub.store.records import DamagedError, QueueRecord
from hub.text import counted


def read_page(value: Any) -> r.Page:
    """The page. :raises DamagedError: it is not as written, or its columns do not fit together."""
    page = r.unseal(r.PAGE, r.pages, value)
    columns = (page.topics, page.headers, page.received_at, page.backends)
    count = len(page.ids)
    chosen = [index for _, _, indexes in page.shares if indexes is not None for index in indexes]
    if len(page.bodies) != count or any(len(column) not in (1, count) for column in columns):
        raise DamagedError("its columns are not of one length")
    if any(not 0 <= index < count for index in chosen):
        raise DamagedError("it gives messages to a queue that it does not have")
    return page


def contradiction(record: QueueRecord) -> str:
    """What can't be in a queue's record; empty if nothing."""
    edges = [record.floor, *(edge for range_ in record.ranges for edge in range_)]
    if record.floor < 0 or any(before >= after for before, after in pairwise(edges)):
        return "its settled ranges are not in order"
    if edges[-1] > record.next_position:
        return f"positions up to {edges[-1]} are settled, and only {record.next_position} are given"
    negative = [name for name, count in asdict(record.counters).items() if count < 0]
    if negative:
        return f"{', '.join(negative)} below 0"
    if min(record.letters, record.lost_letters, record.next_letter - record.letters - 1) < 0:
        return f"{counted(record.letters, 'dead letter')}, and the next is number {record.next_letter}"
    return ""
