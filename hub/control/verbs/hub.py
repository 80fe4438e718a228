"""Verbs on the whole hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from twisted.internet.defer import Deferred

from hub.control.hub import Hub, HubVerb
from hub.control.tail import Tail
from hub.errors import CannotPublish
from hub.http.verb import LINES, NOT_DONE_YET, Call, Nothing
from hub.interfaces import LosingHeaders
from hub.message import HeaderValue
from hub.parts.changes import Outcome
from hub.status.catalogue import described
from hub.status.document import HubStatus
from hub.status.metric import Metric


class Status(HubVerb):
    """Show the status: all numbers and states."""

    path, access, result = "status", "status", HubStatus

    def carry_out(self, order: Nothing) -> Mapping[str, Any]:
        """Return the current status."""
        return self.hub.snapshot()


class Catalogue(HubVerb):
    """Show the catalogue of the status: each number's place, kind, unit and meaning."""

    path, access, result = "catalogue", "numbers", list[Metric]

    def carry_out(self, order: Nothing) -> list[dict[str, Any]]:
        """Return the catalogue; it does not change while the hub runs."""
        return described()


class PublishOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Message to publish; ``backend`` is needed only if several can publish."""

    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    body: msgspec.Raw
    headers: dict[str, HeaderValue] = {}
    backend: str | None = None


PUBLISH_TIMEOUT = 5.0
"""Seconds that an answer waits for the bus to confirm a message."""


class Published(msgspec.Struct):
    """The message's id, and true if the bus has confirmed it. Otherwise it is sent as soon as the bus accepts it."""

    id: str
    confirmed: bool = True


class Publish(HubVerb):
    """Publish a message through the hub."""

    path, method, access, order, result = "publish", "POST", "actions", PublishOrder, Published

    def carry_out(self, order: PublishOrder) -> Deferred[Published]:
        """Answer when the bus has confirmed the message, or after ``PUBLISH_TIMEOUT`` seconds."""
        publisher = self.hub.publisher
        message = publisher.message(order.topic, bytes(order.body), order.headers)
        answer: Deferred[Published] = Deferred()

        def end(result: object) -> None:
            if timer.active():
                timer.cancel()
                answer.callback(result)  # type: ignore[arg-type]  # or a Failure

        name = publisher.choose(order.backend)
        part = self.hub.configuration.of("backends").get(name)
        cls = None if part is None else part.plugin.cls
        if (
            part is not None
            and isinstance(cls, LosingHeaders)
            and (why := cls.no_place_for(part.config, order.headers))
        ):
            raise CannotPublish(f"backend {name}: {why}")
        sending = publisher.send(name, message)
        timer = self.hub.reactor.callLater(PUBLISH_TIMEOUT, answer.callback, Published(message.id, confirmed=False))
        sending.addCallback(lambda _: Published(message.id)).addBoth(end)
        return answer


class Reload(HubVerb):
    """Reload the configuration and apply its changes. A configuration with a mistake changes nothing."""

    path, method, access, result = "reload", "POST", "actions", Outcome

    def carry_out(self, order: Nothing) -> Deferred[Outcome]:
        """Answer with the changes and the problems, when all parts have started."""
        return self.hub.reload()


class Draining(msgspec.Struct):
    """State of the hub's drain, and the backlog of all consumers together."""

    draining: bool
    backlog: int


class DrainHub(HubVerb):
    """Drain the hub: all buses are held back, and the consumers work off their backlogs."""

    path, method, access, result = "drain-hub", "POST", "actions", Draining

    def carry_out(self, order: Nothing) -> Draining:
        """Hold back the buses, also after a restart of the hub."""
        return _drain(self.hub, True)


class ResumeHub(HubVerb):
    """Resume the buses after a drain of the hub."""

    path, method, access, result = "resume-hub", "POST", "actions", Draining

    def carry_out(self, order: Nothing) -> Draining:
        """Let the buses go on."""
        return _drain(self.hub, False)


def _drain(hub: Hub, draining: bool) -> Draining:
    hub.holds.drain_hub(draining)
    hub.flow.drain(draining)
    return Draining(draining, sum(entry.stats().counters.backlog for entry in hub.queues.active.values()))


class TailOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Topic patterns of the messages to show."""

    pattern: list[str] = msgspec.field(default_factory=lambda: ["#"])


class Tailing(HubVerb):
    """Show messages as they arrive, one JSON object per line, until the client hangs up."""

    path, access, order, media = "tail", "contents", TailOrder, LINES
    endless = True

    def handle(self, call: Call) -> int:
        """Start the tail, which ends by itself."""
        call.request.setHeader(b"Content-Type", self.media.encode())
        Tail(call.request, call.order.pattern, self.hub.enqueuer.subscriptions).start()
        return NOT_DONE_YET
