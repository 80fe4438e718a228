"""The control socket: the hub's verbs over HTTP and JSON on a Unix socket. The command line is its first client.

========  ==========================  ===========================================================================
``GET``   ``/status``                 the numbers of everything
``GET``   ``/tail?pattern=a.%23``     messages as they come, a JSON object a line, until the client hangs up
``GET``   ``/dead/CONSUMER``          the dead letters of a consumer
``POST``  ``/retry-dead``             ``{"consumer", "numbers"}``: give them to it again; the positions they got
``POST``  ``/delete-dead``            ``{"consumer", "numbers"}``
``GET``   ``/unsettled/CONSUMER``     ``?start=&stop=``: how many of these positions need more work
``POST``  ``/replay``                 ``{"consumer", "since", "until", "topics"?, "dry_run"?}``: lines of progress
``POST``  ``/purge-queue``            ``{"queue"}``: drop all that waits in it
``POST``  ``/delete-queue``           ``{"queue"}``, of no consumer any more
``POST``  ``/publish``                ``{"topic", "body", "headers"?, "backend"?}``
``POST``  ``/reload``                 ``{"changes": [...]}``, or 409 with ``{"problems": [...]}``
========  ==========================  ===========================================================================

Who may open the socket's file may use all of them: its permissions are the access control. What can't be done answers
400, 404 or 409 with ``{"problems": [...]}``.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.resource import Resource
from twisted.web.server import Site

from hub.errors import ConfigError
from hub.verbs import dead, queues, whole
from hub.verbs.verb import Hub, Verb

VERBS: dict[bytes, Callable[[Hub], Verb]] = {
    b"status": whole.Status,
    b"tail": whole.Tailing,
    b"dead": dead.Dead,
    b"retry-dead": dead.RetryDead,
    b"delete-dead": dead.DeleteDead,
    b"unsettled": dead.Unsettled,
    b"replay": queues.Replay,
    b"purge-queue": queues.PurgeQueue,
    b"delete-queue": queues.DeleteQueue,
    b"publish": whole.Publish,
    b"reload": whole.Reload,
}


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
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_socket():
                self._path.unlink()
            before = os.umask(0o177)
            try:
                self._port = self._hub.reactor.listenUNIX(str(self._path), _site(self._hub), mode=self._mode)
            finally:
                os.umask(before)
        except Exception as error:
            raise ConfigError([f"the control socket {self._path} can't be made: {error}"]) from error

    def close(self) -> Deferred[Any]:
        """Listen no more; the file goes."""
        stop: Callable[[], Any] = self._port.stopListening if self._port is not None else lambda: None
        return maybeDeferred(stop)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one that hangs has a full backlog, and would have us wait with it
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno == errno.EAGAIN
        return True


def _site(hub: Hub) -> Site:
    root: Any = Resource()
    for name, verb in VERBS.items():
        root.putChild(name, verb(hub))
    return _QuietSite(root)  # type: ignore[no-untyped-call]


class _QuietSite(Site):
    """Without the access log: a status that is read every second would fill the journal."""

    displayTracebacks = False

    def log(self, request: Any) -> None:
        pass
