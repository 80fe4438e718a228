"""A STOMP server with real sockets, a clock that the test steps, and sessions that only record."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from hub.backends.stomp.connections import Connections
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode
from hub.backends.stomp.interfaces import Transport
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.open_connections import OpenConnections
from hub.backends.stomp.options import Options
from hub.backends.stomp.parser import Parser
from tests.conftest import ReactorThread
from tests.support import wait_until
from tests.unit.doubles import RecordingLog

LIMITS = Limits(headers=8, line=200, body=100_000, before_login=400)
OPTIONS = Options(LIMITS, max_connections=5, max_unread=10_000)
CONNECT = b"CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0"


class RecordingSession:
    """Answers CONNECT, gives receipts, and records the rest."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.frames: list[Frame] = []
        self.told: list[str] = []
        self.reads = 0
        self.waits = False
        """True if receipts are outstanding, so that ``end`` is kept."""
        self.end: Callable[[], None] | None = None

    def received(self, frame: Frame) -> None:
        self.frames.append(frame)
        if frame.command == "CONNECT":
            version = Version.best(frame.headers.get("accept-version"))
            assert version is not None
            self.transport.version = version
            beat = self.transport.agree(frame.headers.get("heart-beat"))
            self.transport.send(encode("CONNECTED", {"version": version, "heart-beat": beat}, b"", version))
        if frame.command == "PAUSE":
            self.transport.pause()
        if frame.command == "BAD":
            raise ProtocolError("BAD is unknown: expected something good")
        if frame.command == "BUG":
            raise ZeroDivisionError
        if frame.command == "DISCONNECT":
            self.transport.close(encode("RECEIPT", {"receipt-id": "bye"}))
        elif "receipt" in frame.headers:
            self.transport.send(encode("RECEIPT", {"receipt-id": frame.headers["receipt"]}))

    def read(self) -> None:
        self.reads += 1

    def broken(self, end: Callable[[], None]) -> None:
        self.reads += 1
        if self.waits:
            self.end = end
        else:
            end()

    def blocked(self) -> None:
        self.told.append("blocked")

    def writable(self) -> None:
        self.told.append("writable")

    def lost(self, reason: str, by_client: bool) -> None:
        self.told.append(f"lost{' by the client' if by_client else ''}: {reason}")

    @property
    def commands(self) -> list[str]:
        return [frame.command for frame in self.frames]


class Client:
    """A client on a raw socket."""

    def __init__(self, sock: Any) -> None:
        self.socket = sock
        self.socket.settimeout(10)
        self._parser = Parser(Limits())
        self._parser.logged_in()
        self._frames: list[Frame] = []

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frame(self) -> Frame:
        """The next frame."""
        while not self._frames:
            data = self.socket.recv(65536)
            assert data, "the connection was closed"
            self._frames.extend(self._parser.feed(data))
        return self._frames.pop(0)

    def connect(self, frame: bytes = CONNECT) -> Frame:
        """Log in."""
        self.send(frame)
        connected = self.frame()
        assert connected.command == "CONNECTED"
        return connected

    def rest(self) -> bytes:
        """All that comes until the connection ends."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                data += piece
        return data


class Server:
    """The server, on a free port of loopback."""

    def __init__(self, reactor_thread: ReactorThread, options: Options = OPTIONS, path: Path | None = None) -> None:
        self.clock: Any = Clock()
        self.log = RecordingLog()
        self.sessions: list[RecordingSession] = []
        self.open = OpenConnections()
        self.connections = Connections(self.clock, self._session, options, self.log, self.open)
        self._thread = reactor_thread
        self._clients: list[Client] = []
        reactor = reactor_thread.reactor
        if path is not None:
            self.port = self.call(reactor.listenUNIX, str(path), self.connections)
        else:
            self.port = self.call(reactor.listenTCP, 0, self.connections, 50, "127.0.0.1")
        self._path = path

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._thread.call(function, *arguments)

    def client(self, wrap: Callable[[Any], Any] = lambda sock: sock, source: str = "127.0.0.1") -> Client:
        """A new connection. :param wrap: makes TLS of the socket. :param source: the client's own address."""
        if self._path is not None:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(str(self._path))
        else:
            sock = socket.create_connection(("127.0.0.1", self.port.getHost().port), None, (source, 0))
        client = Client(wrap(sock))
        self._clients.append(client)
        return client

    def advance(self, seconds: float) -> None:
        """Let time pass, in steps of a tenth of a second."""
        self.call(self.clock.pump, [0.1] * round(seconds * 10))

    @property
    def session(self) -> RecordingSession:
        """The only session, when there is one."""
        if not self.sessions:
            self.wait(lambda: bool(self.sessions), "a session")
        (session,) = self.sessions
        return session

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(lambda: self.call(condition), 10, what)

    def gone(self) -> None:
        """Wait until no connection is left."""
        self.wait(lambda: not len(self.connections), "the end of the connections")

    def close(self) -> None:
        self.call(self.port.stopListening)
        for client in self._clients:
            client.socket.close()
        self.gone()
        self.call(self.connections.stop)
        assert self.clock.getDelayedCalls() == []

    def _session(self, transport: Transport) -> RecordingSession:
        session = RecordingSession(transport)
        self.sessions.append(session)
        return session


@contextlib.contextmanager
def running(reactor_thread: ReactorThread, path: Path | None = None, **changes: Any) -> Iterator[Server]:
    """A server with other options."""
    server = Server(reactor_thread, replace(OPTIONS, **changes), path)
    try:
        yield server
    finally:
        server.close()
