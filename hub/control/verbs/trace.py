"""Verb that traces one message."""

from __future__ import annotations

from math import isfinite
from typing import Annotated

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.task import cooperate

from hub.control.hub import HubVerb
from hub.control.message_trace import MessageTrace, TracedMessage

LONGEST_ID = 1024
MOST = 1000


class TraceOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Id of the message. ``since`` (epoch seconds): messages stored before are skipped. The search ends after
    ``within`` seconds, or ``most`` messages, of which the newest are returned."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID)]
    since: float = 0.0
    most: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100
    within: Annotated[float, msgspec.Meta(gt=0, le=55)] = 30.0


class Traced(msgspec.Struct):
    """Messages found, the newest first.

    ``complete``: nothing was left out. Otherwise the time was too short or the answer too large: the store was searched
    back to ``reached`` (epoch seconds) only, a message shown as settled may be a dead letter, and one with outcomes
    left out is ``cut``. ``keep``: seconds for which the hub keeps settled messages.
    """

    id: str
    messages: list[TracedMessage]
    complete: bool
    reached: float | None
    keep: float


class Trace(HubVerb):
    """Trace the messages of one id: their outcome in each queue.

    Messages settled in all queues are found as long as they are kept (``keep`` in ``[hub]``).
    """

    path, about, access, order, result = "trace", "id", "contents", TraceOrder, Traced

    def carry_out(self, order: TraceOrder) -> Deferred[Traced]:
        """Search in short steps, between which the reactor does other work."""
        hub, seconds = self.hub, self.hub.reactor.seconds
        routed, monotonic = hub.enqueuer.router.route, hub.supervisor.now
        trace = MessageTrace(order.id, hub.consumers, hub.store, routed, monotonic, hub.wall)
        began = seconds()
        search = cooperate(trace.search(order.since, order.most, lambda: (seconds() - began) / order.within))
        answered: Deferred[Traced] = search.whenDone().addCallback(lambda _: self._answer(trace, order))
        return answered

    def _answer(self, trace: MessageTrace, order: TraceOrder) -> Traced:
        reached = trace.reached if isfinite(trace.reached) else None
        keep = self.hub.configuration.hub.keep
        return Traced(order.id, trace.messages(), trace.complete, reached, keep)
