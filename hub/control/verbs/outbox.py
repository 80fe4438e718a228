"""Verb on outgoing messages."""

from __future__ import annotations

from functools import partial

import msgspec
from twisted.internet.defer import Deferred

from hub.control.cooperative import in_steps
from hub.control.hub import HubVerb, when_stored
from hub.text import counted


class OutboxOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Name of a backend that is not configured any more."""

    backend: str


class OutboxDropped(msgspec.Struct, omit_defaults=True):
    """Number of messages that were dropped. ``problem``: why not all were. ``stored``: false while it is not on
    disk."""

    dropped: int
    problem: str = ""
    stored: bool = True


class DropOutbox(HubVerb):
    """Drop all messages that wait for a backend which is not configured any more. They count as not sent out."""

    path, method, access, order, result = "drop-outbox", "POST", "actions", OutboxOrder, OutboxDropped

    def carry_out(self, order: OutboxOrder) -> Deferred[OutboxDropped]:
        """Drop the messages in steps, and answer when that is on the disk."""
        steps = self.hub.publisher.drop(order.backend)
        dropped = in_steps(self.hub, (OutboxDropped(count) for count in steps))
        return dropped.addCallback(self._explained, order.backend).addCallback(partial(when_stored, self.hub))

    def _explained(self, result: OutboxDropped, backend: str) -> OutboxDropped:
        if left := self.hub.publisher.outboxes[backend].unsent.stored:
            result.problem = f"backend {backend} is configured again: {counted(left, 'message')} for it are left"
        return result
