"""The message that a thread has in hand: what it publishes is sent if, and only if, that message is finished."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from hub.queue.delivery import Delivery
from hub.store import Outgoing
from hub.traceparent import trace_of

Post = Callable[[Outgoing], None]
Trace = Callable[[], Mapping[str, str]]
_thread = threading.local()


def outbox() -> Post | None:
    """The outbox of this thread; ``None``: it is handling no message."""
    post: Post | None = getattr(_thread, "post", None)
    return post


def durable() -> bool:
    """True if what this thread publishes waits on the disk for its bus, and not in memory."""
    return getattr(_thread, "durable", False)


def use(post: Post | None, trace: Trace | None = None, durable: bool = False) -> None:
    """Set the outbox of this thread.

    :param durable: whether it is on the disk.
    :param trace: returns the trace headers of the message in hand; called only if a message is published.
    """
    _thread.post = post
    _thread.durable = durable
    _thread.trace = trace


def trace() -> Mapping[str, str]:
    """Trace headers of the message that this thread has in hand; empty if there is none."""
    look: Trace | None = getattr(_thread, "trace", None)
    return look() if look is not None else {}


def trace_in_hand(taken: Delivery) -> Mapping[str, str]:
    """Trace headers of the message of a delivery that is being consumed."""
    return trace_of(taken.messages[taken.at].headers)
