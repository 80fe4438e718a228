"""Sessions of the STOMP server on the queues of a real hub, over connections that only record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.python.failure import Failure

from hub.backends.stomp.authentication import Authentication
from hub.backends.stomp.broker import Broker
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode
from hub.backends.stomp.heartbeat import Beats
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.login import Users
from hub.backends.stomp.parser import Parser
from hub.backends.stomp.sends import confirm
from hub.backends.stomp.session import Session
from hub.backends.stomp.settings import Config
from hub.intakes import BackendIntake
from hub.parts.declared_queue import OwnedQueue
from tests.unit.doubles import most
from tests.unit.parts.halls import Hall


class Pool:
    """Runs calls when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Callable[..., Any], tuple[Any, ...], Callable[..., Any]]] = []

    def callInThreadWithCallback(
        self, on_result: Callable[..., Any], call: Callable[..., Any], *arguments: Any
    ) -> None:
        self.jobs.append((call, arguments, on_result))

    def work(self) -> None:
        while self.jobs:
            call, arguments, on_result = self.jobs.pop(0)
            try:
                done, result = True, call(*arguments)
            except Exception:
                done, result = False, Failure()
            on_result(done, result)


class Line:
    """A connection and its client: a :class:`hub.backends.stomp.interfaces.Transport`.

    :ivar sent: frames that the server has sent. :ivar over: whether the server has closed.
    """

    def __init__(self, bench: Bench, certificate: str | None = None) -> None:
        self.peer, self.loopback, self.encrypted = "127.0.0.1:1", True, False
        self.certificate = certificate
        self.paused = self.over = self.logged_in = False
        self.writes = 0
        self.version = Version.V12
        self.session: Session = bench.session(self)
        self._bench = bench
        self._data = b""
        self._held: list[Frame] = []

    # Of the session.

    def agree(self, heart_beat: str | None) -> str:
        self.logged_in = True
        return str(Beats(1000, 1000).agree(Beats.parse(heart_beat)))

    def send(self, frame: bytes) -> None:
        assert not self.over
        self._data += frame
        self.writes += 1

    def send_all(self, frames: Sequence[bytes]) -> None:
        self.send(b"".join(frames))

    def close(self, frame: bytes = b"") -> None:
        assert not self.over
        self._data += frame
        self.over = True
        self.session.lost("closed by the server", by_client=False)

    def abort(self) -> None:
        self.close()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        held, self._held = self._held, []
        self.write(*held)

    # Of the client.

    def write(self, *frames: tuple[str, dict[str, str], bytes] | Frame) -> None:
        """Send frames in one segment."""
        for one in frames:
            frame = one if isinstance(one, Frame) else Frame(*one)
            if self.paused:
                self._held.append(frame)
                continue
            try:
                self.session.received(frame)
            except ProtocolError as error:
                self.session.read()
                headers = {"message": str(error), **({"receipt-id": r} if (r := frame.headers.get("receipt")) else {})}
                self.close(encode("ERROR", headers))
                return
            if self.over:
                return
        self.session.read()

    def connect(self, version: str | None = "1.2", **headers: str) -> Frame:
        """Log in. Returns the answer."""
        offered = {} if version is None else {"accept-version": version}
        self.write(Frame("CONNECT", {**offered, **{name.replace("_", "-"): text for name, text in headers.items()}}))
        return self.frames()[-1]

    def do(self, command: str, body: bytes = b"", /, **headers: str) -> None:
        """Send a frame, alone."""
        self.write(frame(command, body, **headers))

    def hang_up(self) -> None:
        """The connection is gone."""
        self.over = True
        self.session.lost("gone", by_client=True)

    def frames(self) -> list[Frame]:
        """What has come since the last call."""
        self._bench.turn()
        parser = Parser(Limits())
        parser.logged_in()
        parser.version = Version.V12 if self.version is Version.V12 else Version.V11
        found = list(parser.feed(self._data))
        self._data = b""
        return found

    def messages(self) -> list[Frame]:
        return [one for one in self.frames() if one.command == "MESSAGE"]

    def bodies(self) -> list[str]:
        return [one.body.decode() for one in self.messages()]

    def receipts(self) -> list[str]:
        return [one.headers["receipt-id"] for one in self.frames() if one.command == "RECEIPT"]

    def error(self) -> str:
        (found,) = (one for one in self.frames() if one.command == "ERROR")
        assert self.over
        return found.headers["message"]


def frame(command: str, body: bytes = b"", /, **headers: str) -> Frame:
    """A frame. Names of headers with '-' have '_' here, those with '.' have '__'."""
    named = {
        name if name.isupper() else name.replace("__", ".").replace("_", "-"): text for name, text in headers.items()
    }
    return Frame(command, named, body)


def send(destination: str, *bodies: object, **headers: str) -> list[Frame]:
    """SEND frames, with the headers that frames with the same head share."""
    shared = frame("SEND", b"", destination=destination, **headers).headers
    return [Frame("SEND", shared, str(body).encode()) for body in bodies]


class Bench:
    """A broker with its sessions. :param directory: of a durable store; ``None``: all is in memory.

    :param keep: seconds for which that keeps history.
    """

    def __init__(
        self, directory: Path | None = None, users: Users | None = None, keep: float = 0.0, **settings: Any
    ) -> None:
        self.hall = Hall(directory, keep=keep)
        self.reactor = self.hall.reactor
        self.pool = Pool()
        self.reactor.getThreadPool = lambda: self.pool  # type: ignore[attr-defined]
        self.config = Config(**settings)
        backend = self.hall.backend()
        context = replace(backend.context, name="stomp", reactor=self.reactor, wall=self.reactor.seconds)
        intake = BackendIntake(self.hall.enqueuer, lambda tokens: backend.calls.append(("confirm", tokens)))
        self.authentication = Authentication(None if users is None else lambda: users, False, self.reactor)
        self.broker = Broker(context, self.config, intake, most, self.authentication)
        self._told = 0

    def session(self, line: Line) -> Session:
        return Session(line, self.broker)

    def line(self, version: str | None = "1.2", **headers: str) -> Line:
        """A client that is connected."""
        line = Line(self)
        assert line.connect(version, **headers).command == "CONNECTED"
        return line

    def turn(self) -> None:
        """Let the reactor do what it is to do now, and pass on the confirmations."""
        for _ in range(5):
            self.pool.work()
            self.reactor.advance(0)
            calls = self.hall.backend().calls
            for what, tokens in calls[self._told :]:
                if what == "confirm":
                    confirm(tokens)
            self._told = len(calls)

    def commit(self) -> None:
        self.hall.commit()
        self.turn()

    def advance(self, seconds: float) -> None:
        self.reactor.advance(seconds)
        self.turn()

    def queue(self, name: str) -> OwnedQueue:
        found = self.hall.declared.named(name)
        assert found is not None
        return found

    def backlog(self, name: str) -> int:
        return self.queue(name).backlog


def fill(bench: Bench, count: int, destination: str = "/queue/q", **headers: str) -> None:
    bench.line().write(*send(destination, *range(count), **headers))


def subscribe(bench: Bench, ack: str = "client-individual", version: str = "1.2", **headers: str) -> Line:
    line = bench.line(version)
    line.do("SUBSCRIBE", id="s", destination=headers.pop("destination", "/queue/q"), ack=ack, **headers)
    return line


def ack(line: Line, *ids: str, command: str = "ACK", **headers: str) -> None:
    line.write(*(frame(command, id=id_, **headers) for id_ in ids))
