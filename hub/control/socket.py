"""The control socket: serves the hub's verbs on a Unix socket. The command line is its main client.

Anybody who can open the socket's file can use all verbs: its permissions are the access control.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request, Site

from hub import unixsocket
from hub.control.hub import Hub
from hub.control.verbs import verbs_of
from hub.errors import ConfigError
from hub.http.access import Access, Caller, Guard
from hub.http.api import Api
from hub.partlog import part_log


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
        site = _QuietSite(control_api(self._hub, PeerGuard()))  # type: ignore[no-untyped-call]
        try:
            self._port = unixsocket.listen(self._hub.reactor, self._path, site, self._mode)
        except Exception as error:
            raise ConfigError([f"the control socket {self._path} can't be made: {error}"]) from error

    def close(self) -> Deferred[Any]:
        """Stop listening, and delete the socket's file."""
        stop: Callable[[], Any] = self._port.stopListening if self._port is not None else lambda: None
        return maybeDeferred(stop)


def control_api(hub: Hub, guard: Guard) -> Api:
    """The hub's verbs at the root, those of plugins below their sections, and the description of all."""
    return Api(guard, hub.audit, part_log("hub", "api"), {"": verbs_of(hub)}, plugins=hub.mounts.now)


class PeerGuard:
    """Admits everybody who could open the socket, and identifies them."""

    def who(self, request: Request) -> str:
        """User and process at the other end, from the kernel."""
        return unixsocket.peer(request.transport)

    def admit(self, request: Request, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        """Admit the caller with all rights."""
        return Caller(self.who(request), contents=True)


class _QuietSite(Site):
    """A site without an access log: a status read every second would fill the journal."""

    displayTracebacks = False

    def log(self, request: Any) -> None:
        pass
