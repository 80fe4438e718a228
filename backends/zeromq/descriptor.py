"""A ZeroMQ socket in Twisted's reactor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import zmq
from twisted.internet.interfaces import IReadDescriptor
from zope.interface import implementer

from hub.backends.zeromq.sockets import Socket

FAULT_DELAY = 1.0
"""Seconds of rest after a fault of our own, lest a lasting one takes the reactor and floods the log."""


@implementer(IReadDescriptor)
class Descriptor:
    """Calls ``drain`` when the socket has something.

    ZeroMQ's descriptor is edge-triggered, and *any* call on the socket may use up the edge: so ``drain`` must go on
    until the socket says ``EAGAIN`` or return ``True`` to be called again, and whoever uses the socket otherwise
    (sends, subscribes, connects, asks an option) must call ``wake`` afterwards. Else the socket goes deaf.
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
        """Watch the socket; what it has already is drained in the reactor's next turn."""
        self._running = True
        self._reactor.addReader(self)
        self.wake()

    def wake(self, delay: float = 0) -> None:
        """Drain in the reactor's next turn, so that its other work has its turn in between."""
        if self._running and self._turn is None:
            self._turn = self._reactor.callLater(delay, self._take_turn)

    def stop(self) -> None:
        """Watch it no longer. To be called before the socket is closed."""
        self._running = False
        self._reactor.removeReader(self)
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None

    def doRead(self) -> None:  # noqa: N802
        """The reactor's call: the descriptor is readable."""
        if self._turn is None:
            self._drain_safely()

    def _take_turn(self) -> None:
        self._turn = None
        self._drain_safely()

    def _drain_safely(self) -> None:
        try:
            again = self._drain()
        except Exception:  # noqa: BLE001 - the reactor would take the socket out of its loop, and the hub would be deaf
            self._log.exception("a fault in the hub while it was reading from ZeroMQ", extra={"action": "bug"})
            self.wake(FAULT_DELAY)
            return
        if again:
            self.wake()

    def fileno(self) -> int:
        """ZeroMQ's descriptor, not the connection's."""
        return self._fileno

    def logPrefix(self) -> str:  # noqa: N802
        """For the reactor's own log lines."""
        return "zeromq"

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        """The reactor is going down, or the descriptor broke."""
        self._running = False
