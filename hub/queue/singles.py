"""Deliveries of one message each, which are settled in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

from hub.message import DEFAULT_PRIORITY
from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.store import Try

POSITION = attrgetter("position")


class Singles:
    """Splits deliveries of a queue without keys, and settles many at the cost of one lock. Thread-safe."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    def split(self, delivery: Delivery) -> list[Delivery]:
        """Split a delivery into deliveries of one message each."""
        if len(delivery.messages) == 1:
            return [delivery]
        attempts, failures = delivery.attempts, delivery.failures
        pairs = zip(delivery.messages, delivery.positions, strict=True)
        singles = [Delivery((message,), (position,), attempts, failures) for message, position in pairs]
        if delivery.priority != DEFAULT_PRIORITY:
            for single in singles:
                single.priority = delivery.priority
        with self._queue.lock:
            self._queue.in_flight.replace(delivery, singles)
        return singles

    def finish(self, deliveries: Sequence[Delivery]) -> None:
        """Settle messages as finished."""
        self._settle(deliveries, self._queue.in_flight.finish_each)

    def expire(self, deliveries: Sequence[Delivery]) -> None:
        """Settle messages as expired."""
        self._settle(deliveries, self._queue.in_flight.expire_each)

    def _settle(self, deliveries: Sequence[Delivery], settle: Callable[[Sequence[Delivery]], None]) -> None:
        queue = self._queue
        if not deliveries:
            return
        with queue.lock:
            settle(deliveries)
            room = queue.overflow.made_room()
        queue.announce(room, queue.durable)

    def give_back(self, deliveries: Sequence[Delivery], delivered: bool) -> None:
        """Return messages to the front of the queue, in order. They come before all others.

        :param delivered: whether that counts as an attempt, though not as a failed one.
        """
        queue = self._queue
        now = queue.wall()
        with queue.lock:
            for delivery in sorted(deliveries, key=POSITION):
                if delivered:
                    self._count(delivery, now)
                queue.in_flight.put_in_front(delivery)
        queue.announce(False, delivered)

    def set_aside(self, deliveries: Sequence[Delivery], delivered: bool) -> None:
        """Let messages wait until they are reclaimed. :param delivered: as in ``give_back``."""
        queue = self._queue
        now = queue.wall()
        with queue.lock:
            for delivery in deliveries:
                if delivered:
                    self._count(delivery, now)
                queue.in_flight.set_aside(delivery)
        queue.announce(False, delivered)

    def reclaim(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """Take messages again that were set aside. Returns those that were not dropped meanwhile."""
        with self._queue.lock:
            return [delivery for delivery in deliveries if self._queue.in_flight.reclaim(delivery)]

    def _count(self, delivery: Delivery, now: float) -> None:
        """Count an attempt. :param now: epoch seconds."""
        delivery.attempts += 1
        one = Try(delivery.attempts, delivery.failures, now, 0.0, delivery.kills)
        self._queue.acks.tried(delivery.positions[0], one)
