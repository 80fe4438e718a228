"""One connection to a broker: logs in, turns bytes into frames and frames into bytes, and keeps the heart-beats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from hub.backends.stomp.client_errors import error_text
from hub.backends.stomp.client_login import Login
from hub.backends.stomp.client_settings import Config, limits
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode
from hub.backends.stomp.heartbeat import Beats, HeartBeat
from hub.backends.stomp.parser import Parser
from hub.text import printable

GOODBYE = "goodbye"
"""Receipt of the DISCONNECT frame."""
GOODBYE_TIMEOUT = 1.0
"""Seconds to wait for that receipt: it tells that the broker has read the last acknowledgements."""


class User(Protocol):
    """User of a connection, told in the reactor's thread."""

    def opened(self, connection: Connection) -> None:
        """The broker has accepted the login."""

    def received(self, frames: list[Frame]) -> None:
        """Take frames that arrived together; none is CONNECTED or ERROR."""

    def lost(self, reason: str, error: Frame | None) -> None:
        """The connection has ended, or was never opened. :param error: the ERROR frame that ended it."""


class Connection(TwistedProtocol):
    """Connection to a broker. See :data:`~hub.backends.stomp.client_login.VERSIONS`.

    Any ERROR ends it: RabbitMQ keeps a connection open after some, whose subscription it has ended.

    :ivar version: agreed with the broker. :ivar server: its name for itself. :ivar open: true once logged in.
    """

    transport: Any

    def __init__(self, config: Config, login: Login, user: User, reactor: Any) -> None:
        self.version = Version.V12
        self.server = ""
        self.open = False
        self._config = config
        self._login = login
        self._user = user
        self._reactor = reactor
        self._parser = Parser(limits(config))
        interval = round(config.heart_beat * 1000)
        self._wish = Beats(interval, interval)
        self._beats: HeartBeat | None = None
        self._paused = self._ended = self._closing = False
        self._held: list[bytes] = []
        self._reason = ""
        self._error: Frame | None = None
        self._closed: list[Deferred[None]] = []
        self._timer: Any = None

    def connectionMade(self) -> None:  # noqa: N802
        """Log in."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        self.send("CONNECT", self._login.headers(str(self._wish)))

    # -- reading

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Parse; hold while paused, as TLS may pass on what it had decrypted."""
        if self._beats is not None:
            self._beats.heard()
        if self._paused:
            self._held.append(data)
        elif not self._ended:
            self._read(data)

    def _read(self, data: bytes) -> None:
        frames: list[Frame] = []
        try:
            for frame in self._parser.feed(data):
                if frame.command == "ERROR":
                    self._error = frame
                    break
                if self.open:
                    frames.append(frame)
                else:
                    self._welcome(frame)
        except ProtocolError as error:
            self._reason = f"the broker broke the protocol: {error}"
        if self._closing:
            self._see_off(frames)
        elif frames:
            self._user.received(frames)
        if self._error is not None:
            self.fail(f"the broker answered with an error: {error_text(self._error)}")
        elif self._reason:
            self.fail(self._reason)

    def _welcome(self, frame: Frame) -> None:
        if frame.command != "CONNECTED":
            raise ProtocolError(f"expected CONNECTED, not {printable(frame.command[:40])}")
        version = frame.headers.get("version", Version.V10)
        if version not in (Version.V11, Version.V12):
            raise ProtocolError(f"it speaks STOMP {printable(version[:10])}, and the hub 1.1 and 1.2")
        self.version = self._parser.version = Version(version)
        self.server = printable(frame.headers.get("server", "")[:100])
        self._parser.logged_in()
        self.open = True
        self._start_beats(frame.headers.get("heart-beat"))
        self._user.opened(self)

    def _start_beats(self, header: str | None) -> None:
        agreed = self._wish.agree(Beats.parse(header))
        self._beats = HeartBeat(self._reactor, agreed, lambda: self.write(b"\n"), self._silent)
        self._beats.start()

    def _silent(self, seconds: float) -> None:
        wanted = self._beats.beats.expect / 1000 if self._beats is not None else 0.0
        self.fail(f"the broker was silent for {seconds:.1f} s, and promised a heart-beat every {wanted:g} s")

    def pause(self) -> None:
        """Read no more: the broker stops at its prefetch."""
        self._paused = True
        if not self._ended:
            self.transport.pauseProducing()
            if self._beats is not None:
                self._beats.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._ended:
            return
        self.transport.resumeProducing()
        if self._beats is not None:
            self._beats.resume()
        held, self._held = self._held, []
        while held and not self._paused and not self._ended:
            self._read(held.pop(0))
        self._held = held + self._held

    # -- writing

    def send(self, command: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send a frame."""
        self.write(encode(command, headers, body, self.version))

    def write(self, data: bytes) -> None:
        """Send encoded frames."""
        if not self._ended:
            self.transport.write(data)

    # -- the end

    def fail(self, reason: str) -> None:
        """End the connection at once."""
        if not self._ended:
            self._end(reason)
            self.transport.abortConnection()

    def close(self) -> Deferred[None]:
        """Say goodbye, then end the connection. :returns: fires when it has ended."""
        closed: Deferred[None] = Deferred()
        self._closed.append(closed)
        if self._ended or not self.open:
            self.fail("the hub stops")
        elif not self._closing:
            self._closing = True
            self.send("DISCONNECT", {"receipt": GOODBYE})
            self._timer = self._reactor.callLater(GOODBYE_TIMEOUT, self.fail, "the hub stops")
            self.resume()
        return closed

    def _see_off(self, frames: list[Frame]) -> None:
        """Read only the goodbye. The broker keeps messages that come meanwhile."""
        if any(frame.headers.get("receipt-id") == GOODBYE for frame in frames):
            self._end("the hub stops")
            self.transport.loseConnection()

    def _end(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._ended = True
        self._held.clear()
        if self._beats is not None:
            self._beats.stop()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]  # noqa: N802
        """Tell the user."""
        self.open = False
        self._end(f"the connection was closed: {printable(reason.getErrorMessage())[:300]}")
        self._user.lost(self._reason, self._error)
        for closed in self._closed:
            closed.callback(None)
        self._closed.clear()
