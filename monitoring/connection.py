"""How exporters reach one address: a socket that is opened when it is needed, kept, and opened anew after an error.

There is no pause before another attempt: an exporter makes one each ``interval``.
"""

from __future__ import annotations

import select
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable


class Connection(ABC):
    """What UDP and TCP have in common.

    :param host: a name or an address; it is looked up again after each error.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def send(self, parts: Iterable[bytes]) -> None:
        """Send each. :raises OSError: the name is unknown, or nobody listens; the next call tries anew."""
        try:
            if self._socket is None:
                self._socket = self._opened()
            for part in parts:
                self._socket.sendall(part)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; the next ``send`` opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @abstractmethod
    def _opened(self) -> socket.socket:
        """One that is connected."""


class UdpConnection(Connection):
    """Each part is a datagram. Connected, so that the kernel tells us when nobody listens."""

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
    """To a peer that never says anything. :param timeout: seconds to wait for it to answer, and for each ``send``."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port)
        self._timeout = timeout

    def send(self, parts: Iterable[bytes]) -> None:
        """Send all. :raises OSError: nobody listens, or the peer reads too slowly; the next call tries anew."""
        if self._socket is not None and _has_ended(self._socket):
            self.close()
        super().send([b"".join(parts)])

    def _opened(self) -> socket.socket:
        opened = socket.create_connection(self._address, self._timeout)
        # A peer that vanished without a word would else be sent to for a quarter of an hour.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(self._timeout * 1000))
        return opened


def _has_ended(connection: socket.socket) -> bool:
    """Whether the peer has closed it. It never says anything, so what there is to read is the end."""
    poller = select.poll()
    poller.register(connection, select.POLLIN)
    return bool(poller.poll(0))
