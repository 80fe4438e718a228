"""What exporters that send by UDP have in common: a connected socket, and many small parts in few datagrams."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator

LIMIT = 1432
"""Bytes of a datagram: what statsd advises, an Ethernet frame less the headers of IPv6 and UDP and some room."""


def packed(parts: Iterable[bytes], limit: int = LIMIT) -> Iterator[bytes]:
    """The parts in order, none cut, as many in a datagram as fit. One that is longer than ``limit`` goes alone."""
    datagram = b""
    for part in parts:
        if datagram and len(datagram) + len(part) > limit:
            yield datagram
            datagram = b""
        datagram += part
    if datagram:
        yield datagram


class Channel:
    """To one address. Connected, so that the kernel tells us when nobody listens.

    :param host: a name or an address; it is looked up again after each error.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._socket: socket.socket | None = None

    def send(self, datagrams: Iterable[bytes]) -> None:
        """Send each. :raises OSError: the name is unknown, or nobody listens; the next call tries anew."""
        try:
            connected = self._connected()
            for datagram in datagrams:
                connected.send(datagram)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; the next ``send`` opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            family, kind, protocol, _, found = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.connect(found)
        return self._socket
