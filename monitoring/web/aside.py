"""A thread of its own for what would hold up the reactor: the disk, and documents of many numbers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from hub.errors import Unavailable

MOST = 32
"""Calls that may wait. Beyond it they are refused: a slow disk must not fill the memory."""

TOO_MUCH = "too much is asked of the web server at once"

Job = tuple[Callable[..., Any], tuple[Any, ...], "Deferred[Any]"]


class Aside:
    """Makes one call after the other. Twisted's shared pool would do, but name lookups need that."""

    def __init__(self, name: str, reactor: Any) -> None:
        self._reactor = reactor
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._over: Deferred[None] = Deferred()
        # A daemon: a disk that hangs must not keep a process alive that was told to exit.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; what was asked for before is done now."""
        self._thread.start()

    @property
    def full(self) -> bool:
        """Whether one more call would be refused: who has to prepare it need not."""
        return self._closing or len(self._jobs) >= MOST

    def do(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """Fires in the reactor's thread with what the call returns or raises.

        :raises Unavailable: (as a failure) too many wait, or it is closed.
        """
        done: Deferred[Any] = Deferred()
        with self._changed:
            if self.full:
                return fail(Unavailable(TOO_MUCH))
            self._jobs.append((function, arguments, done))
            self._changed.notify()
        return done

    def close(self) -> Deferred[None]:
        """Fires when all calls that wait are made and the thread has ended. Once."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is None and not self._over.called:
            self._over.callback(None)
        return self._over

    def _run(self) -> None:
        while (job := self._next()) is not None:
            function, arguments, done = job
            result: Any
            try:
                result = function(*arguments)
            except Exception:  # noqa: BLE001 - the Deferred tells whoever asked
                result = Failure()
            self._reactor.callFromThread(done.callback, result)
            del job, function, arguments, done, result
        self._reactor.callFromThread(self._over.callback, None)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._jobs and not self._closing:
                self._changed.wait()
            return self._jobs.popleft() if self._jobs else None
