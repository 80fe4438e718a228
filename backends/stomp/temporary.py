"""Temporary queues of one connection, ``/temp-queue/NAME``: where answers to its requests come."""

from __future__ import annotations

from collections.abc import Callable

from hub.backends.stomp.destination import Destination, Kind, shown
from hub.backends.stomp.dispatcher import Dispatcher
from hub.backends.stomp.frame import ProtocolError


class TemporaryQueues:
    """The temporary queues of one session. They end with it.

    :param make: makes a queue in memory with a dispatcher, and returns it with the name by which others send to it,
        which can't be guessed.
    :param most: queues at most.
    """

    def __init__(self, make: Callable[[], tuple[str, Dispatcher]], end: Callable[[str], None], most: int) -> None:
        self._make, self._end = make, end
        self._most = most
        self._queues: dict[str, tuple[str, Dispatcher]] = {}

    def dispatcher(self, name: str) -> Dispatcher:
        """The dispatcher of a queue, which is made if there is none. :raises ProtocolError: there are too many."""
        return self._get(name)[1]

    def reply_to(self, name: str) -> Destination:
        """The destination by which others send to a queue, which is made if there is none. Raises as above."""
        return Destination(Kind.REPLY, self._get(name)[0])

    def end(self) -> None:
        """Delete all of them."""
        queues, self._queues = self._queues, {}
        for name, _ in queues.values():
            self._end(name)

    def _get(self, name: str) -> tuple[str, Dispatcher]:
        if name not in self._queues:
            if len(self._queues) >= self._most:
                raise ProtocolError(f"there are {self._most} temporary queues already: no room for {shown(name)}")
            self._queues[name] = self._make()
        return self._queues[name]
