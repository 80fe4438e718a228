"""Messages that a reader has looked at and set aside, until it has a use for them. Pure: no lock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from hub.queue.ack_state import AckState
from hub.queue.delivery import Delivery


class Aside:
    """Messages that wait, each in a delivery of its own: their reader takes them again by position, not in order.

    :param acks: settles dropped messages. :ivar size: bytes of bodies.
    """

    def __init__(self, acks: AckState) -> None:
        self.size = 0
        self._acks = acks
        self._deliveries: dict[int, Delivery] = {}
        self._untried: OrderedDict[int, Delivery] = OrderedDict()  # finds the first at once after many removals

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries.values())

    def add(self, delivery: Delivery) -> None:
        """Set a delivery aside."""
        self._deliveries[delivery.position] = delivery
        if not delivery.attempts:
            self._untried[delivery.position] = delivery
        self.size += len(delivery.current.body)

    def remove(self, delivery: Delivery) -> bool:
        """Remove a delivery. Returns false if it is no longer there: it was dropped."""
        if self._deliveries.get(delivery.position) is not delivery:
            return False
        del self._deliveries[delivery.position]
        self._untried.pop(delivery.position, None)
        self.size -= len(delivery.current.body)
        return True

    def get(self, position: int) -> Delivery | None:
        """The delivery at a position."""
        return self._deliveries.get(position)

    @property
    def first_untried(self) -> Delivery | None:
        """The first one that was never tried."""
        return next(iter(self._untried.values()), None)

    def drop(self, chosen: Callable[[Delivery], bool], most: int, size: int = 0) -> int:
        """Settle the chosen ones that were never tried. Returns their number.

        :param most: bounds it, unless it takes more to make ``size`` bytes.
        """
        gone: list[Delivery] = []
        for one in self._untried.values():
            if len(gone) >= most and size <= 0:
                break
            if chosen(one):
                gone.append(one)
                size -= len(one.current.body)
        for one in gone:
            self.remove(one)
            self._acks.settle(one.position, one.position + 1)
        return len(gone)
