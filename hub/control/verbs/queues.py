"""Verbs on queues."""

from __future__ import annotations

from typing import Annotated

import msgspec

from hub.control.verbs.verb import Verb

MOST_PEEKED = 1000


class QueueOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A queue."""

    queue: str


class Purged(msgspec.Struct, omit_defaults=True):
    """How many messages were dropped. ``stored``: false where that is not on the disk yet."""

    purged: int
    stored: bool = True


class PurgeQueue(Verb):
    """Drop all that waits in a queue. What is in hand, or waits for a retry, stays."""

    path, method, access, order, result = "purge-queue", "POST", "actions", QueueOrder, Purged
    stores = True

    def carry_out(self, order: QueueOrder) -> Purged:
        """See the class."""
        return Purged(self.hub.steering.purge(order.queue))


class QueueDeleted(msgspec.Struct):
    """It is gone. ``stored``: false where that is not on the disk yet."""

    deleted: bool = True
    stored: bool = True


class DeleteQueue(Verb):
    """Delete a queue that belongs to no consumer any more, with its dead letters."""

    path, method, access, order, result = "delete-queue", "POST", "actions", QueueOrder, QueueDeleted
    stores = True

    def carry_out(self, order: QueueOrder) -> QueueDeleted:
        """See the class."""
        self.hub.steering.delete(order.queue)
        return QueueDeleted()


class PeekOrder(msgspec.Struct, forbid_unknown_fields=True):
    """How many, of which consumer."""

    consumer: str
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_PEEKED)] = 10


class Peeked(msgspec.Struct):
    """A message that is not settled.

    ``state`` is ``in flight``, ``waiting`` or ``retry``; ``attempts`` is how often it was given to the consumer.
    """

    position: int
    state: str
    id: str
    topic: str
    headers: dict[str, str]
    body: str
    received_at: float
    attempts: int


class PeekedList(msgspec.Struct):
    """The oldest first."""

    messages: list[Peeked]


class Peek(Verb):
    """The oldest messages of a queue that are not settled. They stay where they are."""

    path, about, access, order, result = "peek", "consumer", "contents", PeekOrder, PeekedList

    def carry_out(self, order: PeekOrder) -> PeekedList:
        """See the class."""
        found = self.hub.steering.queue(order.consumer).peek(order.count)
        return PeekedList(
            [
                Peeked(
                    *(position, state, message.id, message.topic, dict(message.headers)),
                    *(message.body.decode("utf-8", "replace"), message.received_at, attempts),
                )
                for position, state, message, attempts in found
            ]
        )
