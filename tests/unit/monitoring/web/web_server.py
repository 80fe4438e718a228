"""A web server with no hub behind it: on connections of strings, and time that a test steps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from hub.errors import Forbidden
from hub.interfaces import Access, Guard, ServerContext
from hub.monitoring.web.settings import WebConfig
from tests.unit.doubles import RecordingLog

NOW = 1_795_224_384.0
"""Epoch seconds of such a server."""


def snapshot(**backlogs: int) -> dict[str, Any]:
    """A small status."""
    hub = {"state": "running", "ready": True, "not_ready": [], "version": "0.1.0", "time": 1.0}
    consumers = {name: {"backlog": backlog, "received": backlog} for name, backlog in backlogs.items()}
    return {"hub": hub, "backends": {}, "consumers": consumers, "exporters": {}, "servers": {}}


class RecordingAudit:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, str]] = []
        self.reads: list[tuple[str, str]] = []

    def note(self, who: str, action: str, order: Any, outcome: str) -> None:
        self.noted.append((who, action, outcome))

    def read(self, who: str, action: str) -> None:
        self.reads.append((who, action))


class Verbs(Resource):
    """Three verbs, one of each access; each answers who asked. A fourth, ``tail``, goes on."""

    isLeaf = True

    def __init__(self, guard: Guard) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._guard = guard

    def render(self, request: Request) -> int:
        access: Mapping[bytes, Access] = {b"openapi.json": "numbers", b"peek": "contents", b"pause": "actions"}
        answer: dict[str, Any]
        try:
            assert request.postpath
            if request.postpath == [b"tail"]:
                return self._tail(request)
            answer, code = {"who": self._guard.admit(request, access[request.postpath[0]])}, 200
        except Forbidden as error:
            answer, code = {"problems": [str(error)]}, error.code
        request.setResponseCode(code)
        request.write(msgspec.json.encode(answer))
        request.finish()
        return NOT_DONE_YET

    def _tail(self, request: Request) -> int:
        """Contents, without end."""
        self._guard.admit(request, "contents")
        request.write(b"a message")
        return NOT_DONE_YET


def context(
    directory: Path,
    reactor: Any,
    log: logging.LoggerAdapter[Any] | None = None,
    audit: RecordingAudit | None = None,
    **config: Any,
) -> ServerContext:
    """Of a hub with one consumer, ``c``, with 545 messages behind."""
    return ServerContext(
        name="web",
        config=WebConfig(**config),
        reactor=reactor,
        log=log or RecordingLog(),
        wall=lambda: NOW,
        state_dir=directory,
        snapshot=lambda: snapshot(c=545),
        api=Verbs,
        audit=audit or RecordingAudit(),
    )


class Wire(StringTransport):
    """A connection. ``socket`` stands in for that of a real one."""

    def __init__(self, host: str = "127.0.0.1", peer: str = "127.0.0.1") -> None:
        super().__init__(IPv4Address("TCP", host, 9941), IPv4Address("TCP", peer, 50000))  # type: ignore[no-untyped-call]
        self.aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.loseConnection()  # type: ignore[no-untyped-call]


def connect(site: Any, **wire: str) -> tuple[Any, Wire]:
    """A new connection to the site: its channel and its transport."""
    connection = Wire(**wire)
    channel = site.buildProtocol(connection.peerAddr)
    channel.makeConnection(connection)
    return channel, connection


class Answer:
    """What came back, taken apart."""

    def __init__(self, content: bytes) -> None:
        head, _, self.body = content.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.code = int(first.split(" ")[1]) if content else 0
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if self.headers.get("transfer-encoding") == "chunked":
            self.body = b"".join(self.body.split(b"\r\n")[1::2])

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


def ask(
    site: Any, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"", **wire: str
) -> Answer:
    """One request on a connection of its own. ``Host`` is localhost unless the headers say otherwise."""
    channel, connection = connect(site, **wire)
    fields = {"Host": "localhost:9941", **(headers or {})}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value)]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    channel.dataReceived("\r\n".join([*lines, "", ""]).encode() + body)
    clock = site.reactor
    if isinstance(clock, Clock):
        clock.advance(0)
    return Answer(connection.value())  # type: ignore[no-untyped-call]
