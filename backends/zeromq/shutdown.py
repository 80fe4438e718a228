"""Shutdown of a backend: waiting messages are handed over, published ones are sent, and the sockets are closed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from twisted.internet.defer import Deferred

from hub.backends.zeromq.reader import Reader
from hub.backends.zeromq.sockets import Context
from hub.interfaces import BackendContext

LIMIT = 1.0
"""Seconds spent at most on messages that wait in the socket: a fast publisher would never let it run empty."""


class Shutdown:
    """Shutdown of one backend; runs once.

    :ivar done: fires when everything is closed.
    :ivar unread: messages that waited in the socket while the backend was paused: they are counted and dropped, for
        the hub's queues are full.
    :param close: closes the sockets.
    """

    def __init__(self, context: BackendContext, reader: Reader | None, close: Callable[[], None]) -> None:
        self.done: Deferred[None] = Deferred()
        self.unread = 0
        self._context = context
        self._reader = reader
        self._close = close

    def begin(self, context: Context | None, *, paused: bool) -> None:
        """Start the shutdown. :param context: the ZeroMQ context; ``None`` if the backend was never started."""
        if context is None:
            self.done.callback(None)
            return
        self._turn(context, paused, self._context.reactor.seconds() + LIMIT)

    def _turn(self, context: Context, paused: bool, deadline: float) -> None:
        try:
            more = self._empty(paused)
        except Exception:
            text = "internal error while reading the last messages from ZeroMQ"
            self._context.log.exception(text, extra={"action": "bug"})
            more = False
        if more and self._context.reactor.seconds() < deadline:
            self._context.reactor.callLater(0, self._turn, context, paused, deadline)
            return
        self._close()
        # term() waits until all messages are sent or their linger is over, so it runs in a thread.
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
