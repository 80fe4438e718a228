"""Redelivery: puts messages that the hub has already into a queue again, as if they had just arrived."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.control.hub import Hub
from hub.message import Message
from hub.queue.queue import Queue


def redeliver(hub: Hub, queue: Queue, messages: Sequence[Message]) -> tuple[int, int]:
    """Put copies of messages into a queue; a full one takes only the first ones.

    :returns: the position of the first one taken, and the position after the last one.
    """
    now = hub.wall()
    fresh = [msgspec.structs.replace(message, received_at=now) for message in messages]
    start = queue.next_position
    if fresh:
        size = sum(len(message.body) for message in fresh)
        hub.enqueuer.deliver(fresh, [(queue, None)], size, None, routed=False, if_room=True)
    return start, queue.next_position
