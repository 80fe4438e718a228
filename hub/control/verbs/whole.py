"""Verbs on the hub as a whole."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from hub.control.tail import Tail
from hub.control.verbs.verb import Nothing, Verb
from hub.parts.changes import Outcome


class Status(Verb):
    """The numbers of everything."""

    path = "status"

    def carry_out(self, order: Nothing) -> dict[str, Any]:
        """See the class."""
        return self.hub.snapshot()


class PublishOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A message to be sent out."""

    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    body: msgspec.Raw
    headers: dict[str, str] = {}
    backend: str | None = None


class Published(msgspec.Struct):
    """The message's id."""

    id: str


class Publish(Verb):
    """Send a message out."""

    path, method, access, order, result = "publish", "POST", "actions", PublishOrder, Published

    def carry_out(self, order: PublishOrder) -> Published:
        """See the class."""
        publisher = self.hub.publisher
        message = publisher.message(order.topic, bytes(order.body), order.headers)
        publisher.send(publisher.choose(order.backend), message)
        return Published(message.id)


class Reload(Verb):
    """Read the configuration anew, and apply what changed. One with a mistake in it changes nothing."""

    path, method, access, result = "reload", "POST", "actions", Outcome

    def carry_out(self, order: Nothing) -> Deferred[Outcome]:
        """See the class."""
        return self.hub.reload()


class DrainHub(Verb):
    """Hold the buses back, so that the consumers work off all there is and nothing new comes."""

    path, method, access = "drain-hub", "POST", "actions"

    def carry_out(self, order: Nothing) -> dict[str, bool]:
        """See the class."""
        self.hub.steering.drain_hub(True)
        return {"draining": True}


class ResumeHub(Verb):
    """Let the buses go on after a drain."""

    path, method, access = "resume-hub", "POST", "actions"

    def carry_out(self, order: Nothing) -> dict[str, bool]:
        """See the class."""
        self.hub.steering.drain_hub(False)
        return {"draining": False}


class TailOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Topic patterns."""

    pattern: list[str] = msgspec.field(default_factory=lambda: ["#"])


class Tailing(Verb):
    """Messages as they come, a JSON object a line, until the client hangs up."""

    path, access, order, media = "tail", "contents", TailOrder, "application/x-ndjson"

    def respond(self, request: Request, order: TailOrder, who: str) -> None:
        """Begin; it ends by itself."""
        request.setHeader(b"Content-Type", self.media.encode())
        if request.method == b"HEAD":
            request.finish()
            return
        Tail(request, order.pattern, self.hub.enqueuer.taps).start()
