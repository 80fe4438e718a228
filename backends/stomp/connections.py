"""Connections of the STOMP server: makes, counts, limits and ends them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from hub.backends.log_throttle import LogThrottle
from hub.backends.stomp.codec import Closed, Codec
from hub.backends.stomp.connection import Connection
from hub.backends.stomp.frame import Version, encode_error
from hub.backends.stomp.handshake import http_answer
from hub.backends.stomp.interfaces import SessionFactory
from hub.backends.stomp.open_connections import OpenConnections
from hub.backends.stomp.options import Options
from hub.backends.stomp.parser import Parser
from hub.backends.stomp.peer import counted_address
from hub.backends.stomp.tls import ServerTLS
from hub.extra import Extra

TURNED_AWAY = 100
"""Connections beyond the limit that get an ERROR at a time; further ones are closed at once."""
TURNED_AWAY_OF_ONE = 10
"""The same for the connections of one address: they must not take the places of others."""
WEB_SOCKET = Extra("WebSocket", "stomp", ("wsproto", "h11"), vital=False)
"""The libraries of WebSocket; STOMP without it needs none."""
STOPPING = "the server stops: connect again later"


class Connections(Factory):
    """Connections of one port or of several; a factory for ``listenTCP`` and ``listenUNIX``.

    :param session: makes the session of a connection, when its first frame comes.
    :param on_all_ports: the connections that the limits are for; other ports of the server share it.
    :ivar received_bytes: of all clients. :ivar accepted: connections that were made.
    :ivar ended: connections that were ended, by kind: ``refuse`` (too many), ``tls`` (on a plain port, or none on one
        that expects it), ``login`` (not in time), ``protocol``, ``silent``, ``stuck`` (did not read), ``websocket``
        (refused), ``bug``. All counts only grow.
    """

    noisy = False

    def __init__(
        self,
        reactor: Any,
        session: SessionFactory,
        options: Options,
        log: logging.LoggerAdapter[logging.Logger],
        on_all_ports: OpenConnections,
    ) -> None:
        self.reactor = reactor
        self.session = session
        self.options = options
        self.log = log
        self.received_bytes = self.accepted = 0
        self.ended: Counter[str] = Counter()
        self._open: set[Connection] = set()
        self._on_all_ports = on_all_ports
        self._throttle = LogThrottle(log, reactor)
        self._empty: Deferred[None] | None = None

    def __len__(self) -> int:
        """Number of open connections."""
        return len(self._open)

    def __bool__(self) -> bool:
        """True: it is a factory, also without connections."""
        return True

    @property
    def unread(self) -> int:
        """Bytes, approximately, that wait for clients to read them."""
        return sum(connection.unread for connection in self._open)

    def buildProtocol(self, addr: Any) -> Connection | None:  # noqa: N802 - Twisted's name
        """Make the connection of a client; ``None``: it is closed at once."""
        address, options, counts = counted_address(addr), self.options, self._on_all_ports
        many = counts.total >= options.max_connections + TURNED_AWAY
        most = options.max_connections_per_address + TURNED_AWAY_OF_ONE
        if self._empty is not None or many or (address is not None and counts.of_address[address] >= most):
            self.ended["refuse"] += 1
            return None
        return Connection(self)

    def add(self, connection: Connection) -> str:
        """Add a connection that was made. :returns: why it is too many; empty: it is within the limits."""
        address, options, counts = connection.address, self.options, self._on_all_ports
        self._open.add(connection)
        self.accepted += 1
        if counts.total >= options.max_connections:
            why = f"there are {options.max_connections} connections: no more are accepted"
        elif address is not None and counts.of_address[address] >= options.max_connections_per_address:
            why = f"there are {options.max_connections_per_address} connections from {address}: no more are accepted"
        else:
            why = ""
        counts.add(address)
        return why

    def discard(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        if connection in self._open:
            self._open.remove(connection)
            self._on_all_ports.discard(connection.address)
        self._tell_if_empty()

    def failed(self, kind: str, peer: str, text: str) -> None:
        """Count and log a connection that is ended for a reason."""
        self.ended[kind] += 1
        self._throttle.say(kind, logging.WARNING, f"client {peer} disconnected: {text}")

    def tls_context(self, tls: ServerTLS) -> Any:
        """Return the context of a new TLS connection; log why a renewed certificate can't be used."""
        context = tls.context()
        if tls.problem:
            text = f"a certificate that was renewed can't be used, the former one serves: {tls.problem}"
            self._throttle.say("tls certificate", logging.ERROR, text)
        return context

    def web_socket(self, parser: Parser, write: Callable[[bytes], None]) -> Codec:
        """Make the codec of a connection that begins with an HTTP request.

        :raises Closed: the library is not installed.
        """
        try:
            from hub.backends.stomp.websocket import WebSocket
        except ImportError as error:
            text = str(WEB_SOCKET.error())
            raise Closed(text, http_answer("501 Not Implemented", text), fault=True) from error
        return WebSocket(parser, write, self.options.origins)

    def descriptors(self) -> list[int]:
        """File descriptors of the connections, which a child process must close."""
        return [connection.transport.fileno() for connection in self._open]

    def stop(self) -> Deferred[None]:
        """End all connections. :returns: fires when they are gone, which takes :data:`connection.LINGER` at most."""
        self._empty = Deferred()
        last = encode_error(STOPPING, Version.V10)
        for connection in list(self._open):
            connection.close(last)
        self._throttle.stop()
        self._tell_if_empty()
        return self._empty

    def _tell_if_empty(self) -> None:
        if not self._open and self._empty is not None and not self._empty.called:
            self._empty.callback(None)
