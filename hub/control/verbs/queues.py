"""Verbs on queues."""

from __future__ import annotations

from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred

from hub.control.cooperative import in_steps
from hub.control.hub import HubVerb, when_stored
from hub.control.queue_state import QueueState, state_of
from hub.message import HeaderValue
from hub.queue.purge import purge_steps

MOST_PEEKED = 1000


class QueueOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Name of a queue."""

    queue: str


class Purged(msgspec.Struct, omit_defaults=True):
    """Number of messages that were dropped, and the queue's state then. ``stored``: false while it is not on disk."""

    purged: int
    queue: QueueState
    stored: bool = True


class PurgeQueue(HubVerb):
    """Purge a queue: all waiting messages are dropped; those in flight stay, and of a consumer those that wait for a
    retry."""

    path, method, access, order, result = "purge-queue", "POST", "actions", QueueOrder, Purged

    def carry_out(self, order: QueueOrder) -> Deferred[Purged]:
        """Purge in steps, and answer when it is on the disk."""
        purged = in_steps(self.hub, purge_steps(self.hub.queues.entry(order.queue).opened))
        return purged.addCallback(self._stored, order.queue)

    def _stored(self, purged: int, queue: str) -> Deferred[Purged]:
        return when_stored(self.hub, Purged(purged, state_of(self.hub, queue)))


class QueueDeleted(msgspec.Struct):
    """The queue is deleted. ``stored``: false while that is not on disk."""

    deleted: bool = True
    stored: bool = True


class DeleteQueue(HubVerb):
    """Delete a queue and its dead letters. It must not belong to a consumer any more, or a backend has declared it."""

    path, method, access, order, result = "delete-queue", "POST", "actions", QueueOrder, QueueDeleted

    def carry_out(self, order: QueueOrder) -> Deferred[QueueDeleted]:
        """Answer when it is on the disk."""
        self.hub.queues.delete(order.queue)
        self.hub.holds.forget(order.queue)  # a later consumer of that name is a new one
        return when_stored(self.hub, QueueDeleted())


class PeekOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Consumer, and the number of messages to show at most."""

    consumer: str
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_PEEKED)] = 10


class Peeked(msgspec.Struct):
    """Message that is not settled.

    ``state`` is ``in flight``, ``waiting`` or ``retry``; ``attempts`` is how often it was given to the consumer.
    """

    position: int
    state: str
    id: str
    topic: str
    headers: dict[str, HeaderValue]
    body: str
    received_at: float
    attempts: int


class PeekedList(msgspec.Struct):
    """Messages, the oldest first."""

    messages: list[Peeked]


class Peek(HubVerb):
    """Show the oldest unsettled messages of a queue. They stay where they are."""

    path, about, access, order, result = "peek", "consumer", "contents", PeekOrder, PeekedList

    def carry_out(self, order: PeekOrder) -> PeekedList:
        """Read them from memory and from the store."""
        found = self.hub.queues.entry(order.consumer).opened.inspect.peek(order.count)
        return PeekedList(
            [
                Peeked(
                    *(position, state, message.id, message.topic, dict(message.headers)),
                    *(message.body.decode("utf-8", "replace"), message.received_at, attempts),
                )
                for position, state, message, attempts in found
            ]
        )
