"""The hub for its verbs, and the wait of an order for the disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from hub.configuration.schema import Configuration
from hub.control.audit import Audit
from hub.control.holds import Holds
from hub.enqueuer import Enqueuer
from hub.http.mounts import PluginMounts
from hub.http.verb import Verb
from hub.interfaces import Clock
from hub.parts.changes import Outcome
from hub.parts.consumers import Consumers
from hub.parts.flow_control import FlowControl
from hub.parts.queues import Queues
from hub.publisher import Publisher
from hub.store import Store
from hub.workers.supervisor import Supervisor

STORE_TIMEOUT = 10.0
"""Seconds that an answer waits for the disk."""


class Hub(Protocol):
    """The hub that verbs act on: a :class:`hub.service.Service`. :ivar wall: epoch seconds."""

    reactor: Any
    wall: Clock
    configuration: Configuration
    store: Store
    enqueuer: Enqueuer
    publisher: Publisher
    consumers: Consumers
    flow: FlowControl
    supervisor: Supervisor
    queues: Queues
    holds: Holds
    audit: Audit
    mounts: PluginMounts

    def snapshot(self) -> Mapping[str, Any]:
        """Make the status document."""

    def reload(self) -> Deferred[Outcome]:
        """Apply the configuration anew."""


class HubVerb(Verb):
    """A verb of the hub itself."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub


def when_stored(hub: Hub, result: Any) -> Deferred[Any]:
    """Fires with the result of an order once its effects are on disk. If they are not after ``STORE_TIMEOUT`` seconds,
    because the disk is full, the result's field ``stored`` is false."""
    ended: Deferred[Any] = Deferred()

    def end(stored: bool) -> None:
        if not ended.called:
            result.stored = stored
            if timer.active():
                timer.cancel()
            ended.callback(result)

    timer = hub.reactor.callLater(STORE_TIMEOUT, end, False)
    hub.store.when_stored(lambda: hub.reactor.callFromThread(end, True))
    return ended
