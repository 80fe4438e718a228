"""Descriptor of a ZeroMQ socket, which Twisted's reactor watches."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import zmq
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from hub.backends.zeromq.sockets import Socket

FAULT_DELAY = 1.0
"""Seconds of rest after an internal error, so that a lasting one can't occupy the reactor and flood the log."""


@implementer(IReadDescriptor)
class Descriptor:
    """Descriptor that calls ``drain`` when the socket has something to read.

    ZeroMQ's descriptor is edge-triggered, and *any* call on the socket may consume the edge. So ``drain`` must read
    until the socket reports ``EAGAIN``, or return ``True`` to be called again; and each other use of the socket (send,
    subscribe, connect, get an option) must be followed by ``wake``. Otherwise the socket is never read again.
    """

    def __init__(
        self, reactor: Any, socket: Socket, drain: Callable[[], bool], log: logging.LoggerAdapter[logging.Logger]
    ) -> None:
        self._reactor = reactor
        self._drain = drain
        self._log = log
        self._fileno = int(socket.get(zmq.FD))
        self._turn: Any = None
        self._running = False

    def start(self) -> None:
        """Watch the socket. Messages that it already has are drained in the reactor's next turn."""
        self._running = True
        self._reactor.addReader(self)
        self.wake()

    def wake(self, delay: float = 0) -> None:
        """Schedule a drain for the reactor's next turn, so that other work runs in between.

        :param delay: seconds.
        """
        if self._running and self._turn is None:
            self._turn = self._reactor.callLater(delay, self._take_turn)

    def stop(self) -> None:
        """Stop watching. Call it before the socket is closed."""
        self._running = False
        self._reactor.removeReader(self)
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def doRead(self) -> None:  # noqa: N802
        """Drain the socket: the reactor calls this when the descriptor is readable."""
        if self._turn is None:
            self._drain_safely()

    def _take_turn(self) -> None:
        self._turn = None
        self._drain_safely()

    def _drain_safely(self) -> None:
        try:
            again = self._drain()
        except Exception:  # noqa: BLE001 - the reactor would drop the socket, and the hub would receive nothing more
            self._log.exception("internal error while reading from ZeroMQ", extra={"action": "bug"})
            self.wake(FAULT_DELAY)
            return
        if again:
            self.wake()

    def fileno(self) -> int:
        """File descriptor of the ZeroMQ socket (``ZMQ_FD``), not of a connection."""
        return self._fileno

    def logPrefix(self) -> str:  # noqa: N802
        """Prefix of the reactor's own log lines."""
        return "zeromq"

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """Stop draining: the reactor is shutting down, or the descriptor failed."""
        self._running = False
