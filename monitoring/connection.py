"""Connection of an exporter to one address: opened when needed, kept open, and opened anew after an error.

There is no delay before a retry: an exporter sends once per ``interval``.
"""

from __future__ import annotations

import select
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable


class Connection(ABC):
    """Base of connections over UDP and TCP.

    :param host: a name or an address; it is resolved again after each error.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def send(self, parts: Iterable[bytes]) -> None:
        """Send the parts. :raises OSError: the name is unknown, or nobody listens; the next call tries again."""
        try:
            if self._socket is None:
                self._socket = self._opened()
            for part in parts:
                self._socket.sendall(part)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; the next ``send`` opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @abstractmethod
    def _opened(self) -> socket.socket:
        """Open a connected socket."""


class UdpConnection(Connection):
    """Connection over UDP; each part is a datagram. The socket is connected, so that the kernel reports when nobody
    listens."""

    def _opened(self) -> socket.socket:
        family, kind, protocol, _, found = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, kind, protocol)
        try:
            opened.connect(found)
        except OSError:
            opened.close()
            raise
        return opened


class TcpConnection(Connection):
    """Connection over TCP to a peer that sends nothing. :param timeout: seconds to connect, and for each ``send``."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port)
        self._timeout = timeout

    def send(self, parts: Iterable[bytes]) -> None:
        """Send the parts. :raises OSError: nobody listens, or the peer reads too slowly; the next call tries again."""
        if self._socket is not None and _has_ended(self._socket):
            self.close()
        super().send([b"".join(parts)])

    def _opened(self) -> socket.socket:
        opened = socket.create_connection(self._address, self._timeout)
        # Without this, the kernel retransmits to a peer that vanished for a quarter of an hour.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._timeout * 1000))
        return opened


def _has_ended(connection: socket.socket) -> bool:
    """True if the peer has closed the connection: it sends nothing, so the socket is readable only at the end."""
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(0))
