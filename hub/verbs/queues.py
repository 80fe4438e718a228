"""Verbs on queues."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate, deferLater
from twisted.web.server import NOT_DONE_YET, Request

from hub.errors import HubError
from hub.steering import ReplayOrder
from hub.verbs.verb import Verb, answer, carried_out, order_of

REPORT_EVERY = 0.2
"""Seconds between two lines about how far a replay is."""
MOST_PENDING = 16
"""Batches that may wait for the disk: a replay that runs ahead of it would be held in memory."""


class QueueOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A queue."""

    queue: str


class PurgeQueue(Verb):
    """``POST``: drop all that waits in a queue."""

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        work = self.hub.steering.purge
        return carried_out(request, lambda: {"purged": work(order_of(request, QueueOrder).queue)})


class DeleteQueue(Verb):
    """``POST``: delete a queue that belongs to no consumer."""

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        work = self.hub.steering.delete
        return carried_out(request, lambda: {"deleted": work(order_of(request, QueueOrder).queue) is None})


class Replay(Verb):
    """``POST``: give kept messages to a consumer again; a line of JSON now and then says how far it is. It ends when
    the client hangs up."""

    def render_POST(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's name
        """See the class."""
        try:
            steps = self.hub.steering.replay(order_of(request, ReplayOrder))
        except (msgspec.DecodeError, ValueError, HubError) as error:
            return answer(request, {"problems": [str(error)]}, 400)
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        task = cooperate(self._run(request, steps))
        request.notifyFinish().addErrback(lambda _: task.stop())
        task.whenDone().addCallbacks(lambda _: request.finish(), lambda failure: None)
        return NOT_DONE_YET

    def _run(self, request: Request, steps: Iterator[tuple[int, float]]) -> Iterator[Deferred[None] | None]:
        count, at, reported = 0, None, self.hub.reactor.seconds()
        for count, at in steps:
            now = self.hub.reactor.seconds()
            if now - reported > REPORT_EVERY:
                reported = now
                request.write(msgspec.json.encode({"replayed": count, "at": at}) + b"\n")
            busy = int(self.hub.steering.pending()) > MOST_PENDING
            yield deferLater(self.hub.reactor, 0.01) if busy else None
        request.write(msgspec.json.encode({"replayed": count, "at": at, "done": True}) + b"\n")
