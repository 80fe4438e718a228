"""State of one queue, the answer of orders on it. It holds nothing from messages."""

from __future__ import annotations

import msgspec

from hub.control.hub import Hub
from hub.snapshot import consumer_status
from hub.status.consumers import ConditionRow


class QueueState(msgspec.Struct):
    """State of a queue and its consumer, as in the status. ``paused_until``: epoch seconds."""

    queue: str
    state: str
    conditions: list[ConditionRow]
    paused: bool
    paused_until: float | None
    draining: bool
    backlog: int
    in_flight: int
    delayed: int
    dead_letters: int
    threads: int


def state_of(hub: Hub, name: str) -> QueueState:
    """The queue's current state. :raises NoSuchQueue: no consumer has that name."""
    row = consumer_status(hub.queues.entry(name), hub.supervisor, hub.wall(), hub.holds.until(name))
    return msgspec.convert({"queue": name, **row}, QueueState)
