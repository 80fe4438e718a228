"""Readers of declared queues, in the reactor's thread; see :class:`hub.declarations.QueueReader`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hub.deadletter import DeadLetter
from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.queue.reader import Reader
from hub.queue.singles import Singles

LONGEST_TIMER = 3600.0
"""Most seconds of a timer; a delayed message may be due in years."""


class DeclaredReader:
    """The reader of a declared queue; see :class:`hub.declarations.QueueReader`.

    :param elsewhere: runs a call that reads the store in another thread. :param on_close: called when it is closed.
    :param on_count: called with the number of clients that it reads for.
    """

    def __init__(
        self,
        queue: Queue,
        reactor: Any,
        elsewhere: Callable[[Callable[[], None]], None],
        on_ready: Callable[[], None],
        on_close: Callable[[], None],
        on_count: Callable[[int], None],
    ) -> None:
        self._queue, self._singles = queue, Singles(queue)
        self._reactor = reactor
        self._on_ready: Callable[[], None] | None = on_ready
        self._on_close, self._on_count = on_close, on_count
        self._timer: Any = None
        self._reader = Reader(queue, partial(reactor.callFromThread, self._ready), elsewhere)

    def _ready(self) -> None:
        if self._on_ready is not None:
            self._on_ready()

    def serve(self, clients: int) -> None:
        """Note the number of clients that it reads for."""
        if self._on_ready is not None:
            self._on_count(clients)

    @property
    def paused(self) -> bool:
        """True while an operator has paused the queue."""
        return self._queue.paused

    def take(self, limit: int) -> list[Delivery]:
        """Take the next messages, each alone."""
        found = self._reader.take_each(limit)
        if not found:
            self._wait()
        return found

    def _wait(self) -> None:
        """Call back once something is due by time."""
        self._stop_waiting()
        seconds = self._reader.seconds_to_wait() if self._on_ready is not None else None
        if seconds is not None:
            self._timer = self._reactor.callLater(min(seconds, LONGEST_TIMER), self._ready)

    def _stop_waiting(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def finish(self, taken: Sequence[Any]) -> None:
        """Settle messages as finished."""
        self._singles.finish(taken)

    def expire(self, taken: Sequence[Any]) -> None:
        """Settle messages as expired."""
        self._singles.expire(taken)

    def finish_waiting(self, position: int) -> bool:
        """Settle a message that waits as finished."""
        return self._reader.finish_waiting(position)

    def give_back(self, taken: Sequence[Any], delivered: bool) -> None:
        """Return messages to the front of the queue."""
        self._singles.give_back(taken, delivered)

    def set_aside(self, taken: Sequence[Any], delivered: bool) -> None:
        """Let messages wait outside the order."""
        self._singles.set_aside(taken, delivered)

    def reclaim(self, taken: Sequence[Any]) -> list[Delivery]:
        """Take messages again that were set aside."""
        return self._singles.reclaim(taken)

    def retry(self, taken: Any, delay: float, why: str = "", failed: bool = True) -> None:
        """Return a message for another delivery later."""
        self._queue.retry(taken, delay, failed, why)

    def bury(self, taken: Any, why: str) -> None:
        """Make a message a dead letter."""
        letter = DeadLetter(taken.current, why, taken.attempts + 1, self._queue.wall())
        self._queue.bury(taken, False, letter)

    def close(self) -> None:
        """Stop reading."""
        if self._on_ready is not None:
            self._on_ready = None
            self._stop_waiting()
            self._reader.close()
            self._on_close()
