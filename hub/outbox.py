"""Where a thread's messages go while it handles one: they are sent out if, and only if, that one is finished."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hub.store import Outgoing

Post = Callable[[Outgoing], None]
_thread = threading.local()


def current() -> Post | None:
    """The outbox of the thread that asks; ``None``: it is handling no message."""
    post: Post | None = getattr(_thread, "post", None)
    return post


def use(post: Post | None) -> None:
    """Set the outbox of this thread."""
    _thread.post = post
