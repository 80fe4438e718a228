"""The control socket: the hub's verbs (:mod:`hub.control.api`) on a Unix socket. The command line is its first client.

Who may open the socket's file may use all of them: its permissions are the access control.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request, Site

from hub import unixsocket
from hub.control.api import Api
from hub.control.verbs.verb import Hub
from hub.errors import ConfigError
from hub.interfaces import Access


class ControlSocket:
    """Listens where it is told. :param mode: the permissions of the socket's file."""

    def __init__(self, hub: Hub, path: Path, mode: int) -> None:
        self._hub = hub
        self._path = path
        self._mode = mode
        self._port: Any = None

    def listen(self) -> None:
        """:raises ConfigError: another hub answers there, or it can't be made."""
        if unixsocket.answers(self._path):
            raise ConfigError([f"hub.control_socket: another hub is running: it answers at {self._path}"])
        site = _QuietSite(Api(self._hub, PeerGuard()))  # type: ignore[no-untyped-call]
        try:
            self._port = unixsocket.listen(self._hub.reactor, self._path, site, self._mode)
        except Exception as error:
            raise ConfigError([f"the control socket {self._path} can't be made: {error}"]) from error

    def close(self) -> Deferred[Any]:
        """Listen no more; the file goes."""
        stop: Callable[[], Any] = self._port.stopListening if self._port is not None else lambda: None
        return maybeDeferred(stop)


class PeerGuard:
    """Admits whoever could open the socket, and says who that is."""

    def who(self, request: Request) -> str:
        """The user and the process at the other end, as the kernel knows them."""
        return unixsocket.peer(request.transport)

    def admit(self, request: Request, access: Access) -> str:
        """That one."""
        return self.who(request)


class _QuietSite(Site):
    """Without the access log: a status that is read every second would fill the journal."""

    displayTracebacks = False

    def log(self, request: Any) -> None:
        pass
