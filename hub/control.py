"""The control socket: the hub's verbs over HTTP and JSON on a Unix socket. The command line is its first client.

========  ==========================  =====================================================================
``GET``   ``/status``                 the numbers of everything
``GET``   ``/tail?pattern=a.%23``     messages as they come, a JSON object a line, until the client hangs up
``GET``   ``/dead/CONSUMER``          the dead letters of a consumer
``POST``  ``/publish``                ``{"topic", "body", "headers"?, "backend"?}``
``POST``  ``/reload``                 ``{"changes": [...]}``, or 409 with ``{"problems": [...]}``
========  ==========================  =====================================================================

Who may open the socket's file may use all of them: its permissions are the access control.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from hub.config import Configuration
from hub.enqueuer import Enqueuer
from hub.errors import CannotPublish, ConfigError
from hub.publisher import Publisher
from hub.store import Store
from hub.tail import Tail

BODY_LIMIT = 16 << 20


class Hub(Protocol):
    """What the verbs are carried out on: a :class:`hub.service.Service`."""

    reactor: Any
    configuration: Configuration
    enqueuer: Enqueuer
    publisher: Publisher
    store: Store

    def snapshot(self) -> dict[str, Any]:
        """The status."""

    def reload(self) -> Deferred[list[str]]:
        """Apply the configuration anew."""


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


def _answer(request: Request, content: object, code: int = 200) -> bytes:
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", b"application/json")
    return msgspec.json.encode(content) + b"\n"


class _Verb(Resource):
    isLeaf = True

    def __init__(self, hub: Hub) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._hub = hub


class _Status(_Verb):
    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        return _answer(request, self._hub.snapshot())


class _Dead(_Verb):
    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        name = b"/".join(request.postpath or []).decode("utf-8", "replace")
        if name not in self._hub.snapshot()["consumers"]:
            return _answer(request, {"problems": [f"no consumer is called {name!r}"]}, 404)
        letters = [
            {
                "id": letter.message.id,
                "topic": letter.message.topic,
                "headers": dict(letter.message.headers),
                "body": letter.message.body.decode("utf-8", "replace"),
                "received_at": letter.message.received_at,
                "buried_at": letter.buried_at,
                "attempts": letter.attempts,
                "reason": letter.reason,
                "error": letter.error,
                "traceback": letter.traceback,
            }
            for letter in self._hub.store.dead_letters(name)
        ]
        return _answer(request, {"dead_letters": letters})


class _PublishOrder(msgspec.Struct, forbid_unknown_fields=True):
    topic: str
    body: msgspec.Raw
    headers: dict[str, str] = {}
    backend: str | None = None


class _Publish(_Verb):
    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        publisher = self._hub.publisher
        try:
            content = request.content.read(BODY_LIMIT).decode()  # type: ignore[union-attr]
            order = msgspec.json.decode(content, type=_PublishOrder)
            message = publisher.message(order.topic, bytes(order.body), order.headers)
            publisher.send(publisher.choose(order.backend), message)
        except (msgspec.DecodeError, CannotPublish, TypeError, ValueError, RecursionError) as error:
            return _answer(request, {"problems": [str(error)]}, 400)
        return _answer(request, {"id": message.id})


class _Reload(_Verb):
    def render_POST(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)

        def reply(content: object, code: int) -> None:
            if not gone:
                request.write(_answer(request, content, code))
                request.finish()

        def fail(failure: Any) -> None:
            error = failure.trap(Exception) and failure.value
            problems = error.problems if isinstance(error, ConfigError) else [str(error)]
            reply({"problems": problems}, 409 if isinstance(error, ConfigError) else 500)

        self._hub.reload().addCallback(lambda lines: reply({"changes": lines}, 200)).addErrback(fail)
        return NOT_DONE_YET


class _Tailing(_Verb):
    def render_GET(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        patterns = [pattern.decode("utf-8", "replace") for pattern in (request.args or {}).get(b"pattern", [b"#"])]
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        Tail(request, patterns, self._hub.enqueuer.taps).start()
        return NOT_DONE_YET


VERBS = {b"status": _Status, b"tail": _Tailing, b"dead": _Dead, b"publish": _Publish, b"reload": _Reload}
