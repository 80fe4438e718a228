"""Worker thread for calls that would block the reactor: disk access, and large documents."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from hub.errors import Unavailable

MOST = 32
"""Calls that may wait; further ones are refused: a slow disk must not fill the memory."""

TOO_MUCH = "too many requests wait in the web server"


class WorkerThread:
    """Thread pool of one thread, which makes one call after the other. The reactor's own pool is not used, for name
    lookups need it. The thread starts with the first call.
    """

    def __init__(self, name: str, reactor: Any) -> None:
        self._reactor = reactor
        self._closing = False
        self._pool = ThreadPool(0, 1)
        # A daemon thread: a hanging disk must not keep the process from exiting.
        self._pool.threadFactory = lambda **options: Thread(**{**options, "name": name, "daemon": True})  # type: ignore[assignment]

    def start(self) -> None:
        """Start making calls, first those that wait already."""
        self._pool.start()

    @property
    def full(self) -> bool:
        """True if another call would be refused, so that a caller need not prepare it."""
        return self._closing or self._pool.q.qsize() >= MOST

    def do(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Call the function in the thread. The Deferred fires in the reactor's thread with its result or failure.

        :raises Unavailable: (as a failure) too many calls wait, or the thread is closed.
        """
        return fail(Unavailable(TOO_MUCH)) if self.full else self._defer(function, *arguments)

    def close(self) -> Deferred[None]:
        """Refuse further calls. The Deferred fires when the waiting calls are made and the thread has ended."""
        self._closing = True
        if not self._pool.started:
            return succeed(None)
        return self._defer(lambda: None).addCallback(lambda _: self._pool.stop())

    def _defer(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return deferToThreadPool(self._reactor, self._pool, function, *arguments)
