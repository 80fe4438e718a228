"""Verbs on queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater
from twisted.web.server import Request

from hub.control.steering import ReplayOrder
from hub.control.verbs.verb import MALFORMED, Verb, answer, code_of
from hub.errors import HubError

REPORT_EVERY = 0.2
"""Seconds between two lines about how far a replay is."""
MOST_PENDING = 16
"""Batches that may wait for the disk: a replay that runs ahead of it would be held in memory."""
MOST_PEEKED = 1000


class QueueOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A queue."""

    queue: str


class Purged(msgspec.Struct):
    """How many messages were dropped."""

    purged: int


class PurgeQueue(Verb):
    """Drop all that waits in a queue. What is in hand, or waits for a retry, stays."""

    path, method, access, order, result = "purge-queue", "POST", "actions", QueueOrder, Purged

    def carry_out(self, order: QueueOrder) -> Purged:
        """See the class."""
        return Purged(self.hub.steering.purge(order.queue))


class QueueDeleted(msgspec.Struct):
    """It is gone."""

    deleted: bool = True


class DeleteQueue(Verb):
    """Delete a queue that belongs to no consumer any more, with its dead letters."""

    path, method, access, order, result = "delete-queue", "POST", "actions", QueueOrder, QueueDeleted

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


class Progress(msgspec.Struct, omit_defaults=True):
    """How many there were so far, and when the last one had been received. The last line has ``done``."""

    replayed: int
    at: float | None
    done: bool = False


class Replay(Verb):
    """Give kept messages to a consumer again; a line of JSON now and then says how far it is.

    It ends when the client hangs up.
    """

    path, method, access, order, result = "replay", "POST", "actions", ReplayOrder, Progress
    media = "application/x-ndjson"

    def respond(self, request: Request, order: ReplayOrder, who: str) -> None:
        """Begin, and write the lines."""
        try:
            steps = self.hub.steering.replay(order)
        except (HubError, *MALFORMED) as error:
            self.note(who, order, f"refused: {error}")
            answer(request, {"problems": [str(error)]}, code_of(error))
            return
        self.note(who, order, "begun")
        request.setHeader(b"Content-Type", self.media.encode())
        task = cooperate(self._run(request, steps))
        request.notifyFinish().addErrback(lambda _: task.stop())
        task.whenDone().addCallbacks(lambda _: request.finish(), lambda failure: None)

    def _run(self, request: Request, steps: Iterator[tuple[int, float]]) -> Iterator[Deferred[None] | None]:
        count, at, reported = 0, None, self.hub.reactor.seconds()
        for count, at in steps:
            now = self.hub.reactor.seconds()
            if now - reported > REPORT_EVERY:
                reported = now
                request.write(msgspec.json.encode(Progress(count, at)) + b"\n")
            busy = int(self.hub.steering.pending()) > MOST_PENDING
            yield deferLater(self.hub.reactor, 0.01) if busy else None
        request.write(msgspec.json.encode(Progress(count, at, True)) + b"\n")
