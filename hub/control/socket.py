"""The control socket: serves the hub's verbs on a Unix socket. The command line is its main client.

Anybody who can open the socket's file can use all verbs: its permissions are the access control.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.protocol import ServerFactory

from hub import unixsocket
from hub.errors import ConfigError

if TYPE_CHECKING:
    from hub.control.hub import Hub


class ControlSocket:
    """The server on the control socket. :param mode: permissions of the socket's file."""

    def __init__(self, hub: Hub, path: Path, mode: int) -> None:
        self._hub = hub
        self._path = path
        self._mode = mode
        self._port: Any = None

    def listen(self) -> None:
        """Start to listen. :raises ConfigError: another hub answers there, or the socket can't be made."""
        if unixsocket.answers(self._path):
            raise ConfigError([f"hub.control_socket: another hub is running: it answers at {self._path}"])
        try:
            self._port = unixsocket.listen(self._hub.reactor, self._path, _SiteWhenUsed(self._site), self._mode)
        except Exception as error:
            raise ConfigError([f"the control socket {self._path} can't be made: {error}"]) from error

    def close(self) -> Deferred[Any]:
        """Stop listening, and delete the socket's file."""
        stop: Callable[[], Any] = self._port.stopListening if self._port is not None else lambda: None
        return maybeDeferred(stop)

    def _site(self) -> Any:
        from hub.control.site import control_site

        return control_site(self._hub)


class _SiteWhenUsed(ServerFactory[Any]):
    """Makes the site for the first connection, see :mod:`hub.control.site`."""

    noisy = False

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._site: Any = None

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """The protocol of a connection, from the site."""
        if self._site is None:
            self._site = self._make()
            self._site.doStart()
        return self._site.buildProtocol(addr)

    def stopFactory(self) -> None:  # noqa: N802 - Twisted's name
        """Stop the site, if there is one."""
        if self._site is not None:
            self._site.doStop()
