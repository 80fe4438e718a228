"""Finds records of queues anywhere in a file, including outdated ones."""

from __future__ import annotations

from hub.store import Range
from hub.store import records as r
from hub.store.fsck.image import Image
from hub.store.fsck.scan import scan
from hub.store.records import QueueRecord


class Remains:
    """Records of queues from a scan of the file.

    :ivar queues: newest record of each number. :ivar numbers: queues for which a page has messages.
    """

    def __init__(self, image: Image) -> None:
        self.queues: dict[int, QueueRecord] = {}
        self.numbers: set[int] = set()
        self._ranges: list[r.RangeRecord] = []
        for found in scan(image):
            if found.kind == r.QUEUE:
                known = self.queues.get(found.content.number)
                if known is None or _age(found.content) > _age(known):
                    self.queues[found.content.number] = found.content
            elif found.kind == r.RANGE:
                self._ranges.append(found.content)
            elif found.kind == r.PAGE:
                self.numbers |= {queue for queue, _, _ in found.content.shares}

    def settled(self, queue: QueueRecord) -> list[Range]:
        """Settled ranges of a queue, without those of a former queue of its number."""
        wanted = (queue.number, queue.created_at)
        return [(one.start, one.stop) for one in self._ranges if (one.queue, one.created_at) == wanted]


def _age(record: QueueRecord) -> tuple[float, int]:
    """Sort key of records: a deleted queue's number may have been reused."""
    return record.created_at, record.commit
