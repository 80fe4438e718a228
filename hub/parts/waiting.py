"""Bounded waits in the reactor's thread, for other threads and for plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import LoopingCall

from hub.workers.callback_event import CallbackEvent

GIVE_UP_EVERY = 0.5
"""Seconds between two calls of ``give_up``: there is no event for a thread that hangs."""


def all_set(events: Iterable[CallbackEvent], reactor: Any) -> Deferred[Any]:
    """Fires in the reactor's thread once all events are set, in any threads."""
    return DeferredList([_fired(event, reactor) for event in events])


def _fired(event: CallbackEvent, reactor: Any) -> Deferred[None]:
    fired: Deferred[None] = Deferred()
    event.when_set(lambda: reactor.callFromThread(fired.callback, None))
    return fired


def within(
    reactor: Any,
    waited: Deferred[Any],
    timeout: float,
    stop: CallbackEvent | None = None,
    give_up: Callable[[], bool] | None = None,
) -> Deferred[bool]:
    """Fires with ``True`` once ``waited`` has fired or failed, or with ``False`` after ``timeout`` seconds.

    :param stop: ends the wait with ``False`` when it is set, in the reactor's thread.
    :param give_up: called every :data:`GIVE_UP_EVERY` seconds; ``True`` ends the wait with ``False``.
    """
    done: Deferred[bool] = Deferred()
    asking = LoopingCall(lambda: finish(False) if give_up is not None and give_up() else None)
    asking.clock = reactor

    def finish(in_time: bool) -> None:
        if done.called:
            return
        if timer.active():
            timer.cancel()
        if asking.running:
            asking.stop()
        done.callback(in_time)

    timer = reactor.callLater(timeout, finish, False)
    waited.addBoth(lambda _: finish(True))
    if stop is not None:
        stop.when_set(lambda: finish(False))
    if give_up is not None and not done.called:
        asking.start(GIVE_UP_EVERY)
    return done
