"""The placements of one received batch: which queues admitted its messages, and at which positions. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hub.queue.queue import Queue
from hub.store.values import index_in

Placement = tuple[Queue, int, Sequence[int]]
"""A queue, the position of the first message that it admitted, and the ascending indexes of its messages in the
batch."""


class Placements:
    """Placements of a batch. It may be routed in several parts; indexes count through all of them.

    :ivar all: in the order in which the queues were asked.
    """

    def __init__(self) -> None:
        self.all: list[Placement] = []
        self._before = 0

    def add(self, queue: Queue, start: int, indexes: Sequence[int]) -> None:
        """Add what a queue has admitted. :param indexes: in the present part of the batch."""
        if indexes:
            before = self._before
            self.all.append((queue, start, [before + index for index in indexes] if before else indexes))

    def next_part(self, count: int) -> None:
        """End a part of the batch, of ``count`` messages."""
        self._before += count

    def of(self, index: int) -> list[tuple[Queue, int]]:
        """Queues that admitted the message at that index, with its position in each."""
        found = [(queue, start, index_in(indexes, index)) for queue, start, indexes in self.all]
        return [(queue, start + at) for queue, start, at in found if at >= 0]
