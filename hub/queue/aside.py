"""Messages that a reader has looked at and set aside, until it has a use for them. Pure: no lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from hub.queue.ack_state import AckState
from hub.queue.delivery import Delivery
from hub.queue.lazy_heap import LazyHeap


class Aside:
    """Messages that wait, each in a delivery of its own: their reader takes them again by position, not in order.

    :param acks: settles dropped messages. :ivar size: bytes of bodies.
    """

    def __init__(self, acks: AckState) -> None:
        self.size = 0
        self._acks = acks
        self._deliveries: dict[int, Delivery] = {}
        self._untried: LazyHeap[Delivery] = LazyHeap(partial(_gone_from, self._deliveries))
        """By priority and position."""

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def add(self, delivery: Delivery) -> None:
        """Set a delivery aside."""
        self._deliveries[delivery.position] = delivery
        if not delivery.attempts:
            self._untried.push(delivery.priority, delivery.position, delivery)
        self.size += len(delivery.current.body)

    def remove(self, delivery: Delivery) -> bool:
        """Remove a delivery. Returns false if it is no longer there: it was dropped."""
        if self._deliveries.get(delivery.position) is not delivery:
            return False
        del self._deliveries[delivery.position]
        if not delivery.attempts:
            self._untried.forget()
        self.size -= len(delivery.current.body)
        return True

    def get(self, position: int) -> Delivery | None:
        """The delivery at a position."""
        return self._deliveries.get(position)

    @property
    def first_untried(self) -> Delivery | None:
        """Of those that were never tried, the one with the lowest priority, and of these with the lowest position."""
        first = self._untried.first
        return None if first is None else first[2]

    def drop(self, chosen: Callable[[Delivery], bool], most: int) -> int:
        """Settle the chosen ones, at most so many. Returns their number."""
        gone: list[Delivery] = []
        for one in self._deliveries.values():
            if len(gone) >= most:
                break
            if chosen(one):
                gone.append(one)
        for one in gone:
            self.remove(one)
            self._acks.settle(one.position, one.position + 1)
        return len(gone)


def _gone_from(deliveries: Mapping[int, Delivery], delivery: Delivery) -> bool:
    return deliveries.get(delivery.position) is not delivery
