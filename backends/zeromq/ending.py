"""The end of a backend: what the socket holds is handed over, what was published is sent, all is closed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from twisted.internet.defer import Deferred

from hub.backends.zeromq.reader import Reader
from hub.backends.zeromq.sockets import Context
from hub.interfaces import BackendContext

LIMIT = 1.0
"""Seconds spent on what the socket holds, at most: a publisher that floods us would never let it run empty."""


class Ending:
    """Stops one backend, once.

    :ivar done: fires when all is closed.
    :ivar unread: messages that the socket held while the backend was paused: read, counted, handed to nobody, for the
        hub had no room.
    :param close: closes the sockets.
    """

    def __init__(self, context: BackendContext, reader: Reader | None, close: Callable[[], None]) -> None:
        self.done: Deferred[None] = Deferred()
        self.unread = 0
        self._context = context
        self._reader = reader
        self._close = close

    def begin(self, context: Context | None, *, paused: bool) -> None:
        """:param context: the ZeroMQ context, ``None`` if the backend was never started."""
        if context is None:
            self.done.callback(None)
            return
        self._turn(context, paused, self._context.reactor.seconds() + LIMIT)

    def _turn(self, context: Context, paused: bool, deadline: float) -> None:
        try:
            more = self._empty(paused)
        except Exception:
            text = "a fault in the hub while it was taking the last messages from ZeroMQ"
            self._context.log.exception(text, extra={"action": "bug"})
            more = False
        if more and self._context.reactor.seconds() < deadline:
            self._context.reactor.callLater(0, self._turn, context, paused, deadline)
            return
        self._close()
        # A context ends when all is sent, or has lingered: in a thread, for that may take a second.
        threading.Thread(target=self._term, args=(context,), name=f"{self._context.name}-stop").start()

    def _empty(self, paused: bool) -> bool:
        if self._reader is None:
            return False
        if not paused:
            return self._reader.drain()
        count, more = self._reader.discard()
        self.unread += count
        return more

    def _term(self, context: Context) -> None:
        context.term()
        self._context.reactor.callFromThread(self.done.callback, None)
