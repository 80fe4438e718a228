"""A web server with no hub behind it: on connections of strings, and time that a test steps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.web.resource import Resource

from hub.http.access import Access, Caller, Guard
from hub.http.api import Api
from hub.http.verb import NOT_DONE_YET, Call, Verb
from hub.interfaces import ServerContext
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

    def refused(self, who: str, action: str, why: str) -> None:
        self.noted.append((who, action, f"refused: {why}"))

    def read(self, who: str, action: str) -> None:
        self.reads.append((who, action))


class Who(Verb):
    """Tell who asked."""

    path = "numbers"

    def handle(self, call: Call) -> dict[str, str]:
        return {"who": call.caller.name}


class Peek(Who):
    """Tell who may see contents."""

    path, access = "peek", "contents"


class Pause(Who):
    """Tell who may act."""

    path, access, method = "pause", "actions", "POST"


class Tail(Verb):
    """Show contents without end."""

    path, access, endless = "tail", "contents", True

    def handle(self, call: Call) -> int:
        call.request.write(b"a message")
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
        verbs=[Who(), Peek(), Pause(), Tail()],
        plugins=dict,
        audit=audit or RecordingAudit(),
    )


class OpenDoor:
    """Admits everybody to everything."""

    def who(self, request: Any) -> str:
        return "somebody"

    def admit(self, request: Any, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        return Caller("somebody", contents=True)


def api_of(*verbs: Verb, guard: Guard | None = None) -> Api:
    """These verbs at the root."""
    return Api(guard or OpenDoor(), RecordingAudit(), RecordingLog(), {"": verbs})


def root_of(**children: Resource) -> Resource:
    """These resources at the top."""
    root: Any = Resource()
    for name, child in children.items():
        root.putChild(name.encode(), child)
    return cast("Resource", root)


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
