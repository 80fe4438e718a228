"""Where a thread's messages go while it handles one: they are sent out if, and only if, that one is finished."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from hub.store import Outgoing

Post = Callable[[Outgoing], None]
Trace = Callable[[], Mapping[str, str]]
_thread = threading.local()


def current() -> Post | None:
    """The outbox of the thread that asks; ``None``: it is handling no message."""
    post: Post | None = getattr(_thread, "post", None)
    return post


def use(post: Post | None, trace: Trace | None = None) -> None:
    """Set the outbox of this thread.

    :param trace: gives the headers of the trace that the message in hand belongs to; asked only if one is sent out.
    """
    _thread.post = post
    _thread.trace = trace


def trace() -> Mapping[str, str]:
    """The headers that carry on the trace of what this thread has in hand; empty if there is none."""
    look: Trace | None = getattr(_thread, "trace", None)
    return look() if look is not None else {}
