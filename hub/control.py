"""The control socket: the hub's verbs (:mod:`hub.api`) on a Unix socket. The command line is its first client.

Who may open the socket's file may use all of them: its permissions are the access control.
"""

from __future__ import annotations

import errno
import os
import pwd
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.server import Request, Site

from hub.api import Api
from hub.errors import ConfigError
from hub.interfaces import Access
from hub.verbs.verb import Hub


class ControlSocket:
    """Listens where it is told. :param mode: the permissions of the socket's file."""

    def __init__(self, hub: Hub, path: Path, mode: int) -> None:
        self._hub = hub
        self._path = path
        self._mode = mode
        self._port: Any = None

    def listen(self) -> None:
        """:raises ConfigError: another hub answers there, or it can't be made."""
        if _answers(self._path):
            raise ConfigError([f"another hub is running: it answers at {self._path}"])
        site = _QuietSite(Api(self._hub, PeerGuard()))  # type: ignore[no-untyped-call]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_socket():
                self._path.unlink()
            before = os.umask(0o177)
            try:
                self._port = self._hub.reactor.listenUNIX(str(self._path), site, mode=self._mode)
            finally:
                os.umask(before)
        except Exception as error:
            raise ConfigError([f"the control socket {self._path} can't be made: {error}"]) from error

    def close(self) -> Deferred[Any]:
        """Listen no more; the file goes."""
        stop: Callable[[], Any] = self._port.stopListening if self._port is not None else lambda: None
        return maybeDeferred(stop)


class PeerGuard:
    """Admits whoever could open the socket, and says who that is."""

    def admit(self, request: Request, access: Access) -> str:
        """The user and the process at the other end, as the kernel knows them (``unix(7)``, ``SO_PEERCRED``)."""
        peer = request.transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)  # type: ignore[union-attr]
        pid, uid, _ = struct.unpack("=iII", peer)
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            name = f"uid {uid}"
        return f"{name}, pid {pid}"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one that hangs has a full backlog, and would have us wait with it
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno == errno.EAGAIN
        return True


class _QuietSite(Site):
    """Without the access log: a status that is read every second would fill the journal."""

    displayTracebacks = False

    def log(self, request: Any) -> None:
        pass
