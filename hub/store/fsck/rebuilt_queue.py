"""One queue while the tables are rebuilt: its record, what it has settled, and what was found of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hub.store import Range
from hub.store import records as r
from hub.store.records import QueueRecord
from hub.store.window import AckWindow


@dataclass
class RebuiltQueue:
    """A queue whose rows are being rebuilt.

    :ivar restored: its own record can't be read: this is an older one, or a new one.
    :ivar starts: positions of the old index entries of a restored queue; ``None``: the index can't be read.
    :ivar guessed: messages that no page holds are assumed to be settled, not lost.
    :ivar oldest: epoch seconds at which the oldest page that it needs was stored.
    :ivar found: unsettled messages. :ivar missing: lost messages.
    """

    record: QueueRecord
    window: AckWindow
    restored: bool = False
    starts: set[int] | None = None
    guessed: bool = False
    oldest: float = math.inf
    found: int = 0
    missing: int = 0

    @classmethod
    def of(cls, record: QueueRecord) -> RebuiltQueue:
        """Begin with a consistent record."""
        window = AckWindow(record.floor)
        window.restore(record.ranges)
        return cls(record, window)

    def needs(self, page: r.Page, start: int, count: int) -> bool:
        """True if the queue may still need its share of a page."""
        if page.stored_at < self.record.created_at:
            return False  # the page belongs to a former queue of that number
        if self.starts is not None and start not in self.starts:
            return False
        return not self.window.covers(start, start + count)

    def finish(self, ranges: Iterable[Range]) -> None:
        """Settle ranges of positions, which may overlap settled ones."""
        for start, stop in ranges:
            for gap in list(self.window.open(start, stop)):
                self.window.finish(*gap)
