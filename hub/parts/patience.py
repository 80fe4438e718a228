"""Waiting in the reactor for what happens in threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

STEP = 0.02
"""Seconds between two looks."""


def wait_for(reactor: Any, condition: Callable[[], bool], timeout: float | None) -> Deferred[bool]:
    """Fires with ``True`` when the condition holds, with ``False`` after ``timeout`` seconds (``None``: never).

    It looks again and again, because a callback from each of many threads would need more care than a stop deserves.
    """
    deadline = None if timeout is None else reactor.seconds() + timeout
    done: Deferred[bool] = Deferred(lambda _: None)

    def look() -> None:
        if done.called:
            return
        if condition():
            done.callback(True)
        elif deadline is not None and reactor.seconds() >= deadline:
            done.callback(False)
        else:
            reactor.callLater(STEP, look)

    look()
    return done
