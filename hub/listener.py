"""Listener on a TCP address or a Unix socket, for servers and backends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError

from hub import unixsocket
from hub.address import Address, UnixAddress
from hub.errors import ConfigError, Unavailable


class Listener:
    """Listener of a server. :param mode: permissions of a Unix socket's file."""

    def __init__(self, address: Address, mode: int, reactor: Any) -> None:
        self._address = address
        self._mode = mode
        self._reactor = reactor
        self._port: Any = None

    def listen(self, site: Any) -> None:
        """Start listening.

        :raises Unavailable: the address is in use, or not this machine's.
        :raises ConfigError: the socket's file can't be created.
        """
        if isinstance(self._address, UnixAddress):
            self._listen_unix(self._address.path, site)
            return
        try:
            self._port = self._reactor.listenTCP(self._address.port, site, interface=self._address.host)
        except CannotListenError as error:
            why = getattr(error.socketError, "strerror", None) or error.socketError
            raise Unavailable(f"listen: can't listen at {self._address}: {why}") from error

    def close(self) -> Deferred[Any]:
        """Stop listening, and remove a socket's file."""
        port, self._port = self._port, None
        return maybeDeferred(port.stopListening if port is not None else lambda: None)

    def descriptors(self) -> list[int]:
        """File descriptors of the listening socket, which a child process must close."""
        return [self._port.fileno()] if self._port is not None else []

    def _listen_unix(self, path: Path, site: Any) -> None:
        if unixsocket.answers(path):
            raise Unavailable(f"listen: can't listen at {self._address}: the address is in use")
        try:
            self._port = unixsocket.listen(self._reactor, path, site, self._mode)
        except (OSError, CannotListenError) as error:
            raise ConfigError([f"listen: the socket {path} can't be made: {error}"]) from error
