"""Connection of one STOMP client, over TCP, TLS or a Unix socket, or a WebSocket in one of them.

The first bytes tell what the client speaks: ``GET`` begins the HTTP request of a WebSocket, 0x16 a TLS handshake; no
command of STOMP begins so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from hub.backends.stomp import peer
from hub.backends.stomp.codec import Closed, Codec, Stream
from hub.backends.stomp.frame import Frame, ProtocolError, Version, encode_error
from hub.backends.stomp.handshake import is_http, too_many_answer
from hub.backends.stomp.heartbeat import Beats, HeartBeat
from hub.backends.stomp.interfaces import Owner, Session
from hub.backends.stomp.output import Output
from hub.backends.stomp.parser import Parser
from hub.text import printable

LINGER = 3.0
"""Seconds for which a client may read an ERROR, and close. A socket that is closed at once, with input that nobody has
read, resets the connection, and the client's kernel throws the ERROR away."""
_TLS_HANDSHAKE = 0x16
"""Content type of the first record of TLS (RFC 8446, 5.1)."""


class Connection(Protocol):
    """Connection of one client: a :class:`hub.backends.stomp.interfaces.Transport`.

    :param owner: made it, and knows all of them.
    """

    transport: Any

    def __init__(self, owner: Owner) -> None:
        self.peer = ""
        self.address: str | None = None
        self.encrypted = False
        self._owner = owner
        self._options = owner.options
        self._clock = owner.reactor
        self._parser = Parser(owner.options.limits)
        self._agreed = False
        self._codec: Codec | None = None
        self._session: Session | None = None
        self._heart: HeartBeat | None = None
        self._output: Output
        self._frames: Iterator[Frame] | None = None
        """The rest of a segment's frames."""
        self._held = b""
        """Input that came while nothing is read: TLS had it already."""
        self._paused = self._passing = self._over = self._deaf = False
        self._too_many = ""  # or why it is
        self._timer: Any = None  # of the login; then of the end

    # Of the session.

    @property
    def version(self) -> Version:
        """Rules of the frames that come next."""
        return self._parser.version

    @version.setter
    def version(self, version: Version) -> None:
        self._parser.version = version
        self._agreed = True

    @property
    def loopback(self) -> bool:
        """True if the client is on this machine, and no proxy says that it speaks for another one."""
        if self.transport is None:
            return False
        return peer.is_loopback(self.transport) and not (self._codec is not None and self._codec.proxied)

    @property
    def certificate(self) -> str | None:
        """Common name of the client's verified certificate."""
        tls = self._options.tls if self.encrypted and self.transport is not None else None
        return tls.common_name(self.transport) if tls is not None else None

    @property
    def unread(self) -> int:
        """Bytes, approximately, that wait for the client to read them."""
        return self._output.unread

    def agree(self, heart_beat: str | None) -> str:
        """See :class:`hub.backends.stomp.interfaces.Transport`, also for the following."""
        beats = self._options.beats.agree(Beats.parse(heart_beat))
        self._parser.logged_in()
        self._cancel_timer()
        self._heart = HeartBeat(self._clock, beats, lambda: self.send(b"\n"), self._silent)
        self._heart.start()
        return str(beats)

    def send(self, frame: bytes) -> None:
        """Send one encoded frame."""
        if not self._over:
            self._output.write(self._wrap(frame))

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Send encoded frames."""
        if not self._over and self._codec is not None:
            self._output.write(self._codec.wrap_all(frames))

    def close(self, frame: bytes = b"") -> None:
        """Send a last frame, and close."""
        self._close(frame, "closed by the server")

    def abort(self) -> None:
        """Cut the connection."""
        self._abort("cut by the server")

    def pause(self) -> None:
        """Pass no more frames."""
        if not self._paused and not self._over:
            self._paused = True
            self.transport.pauseProducing()
            if self._heart is not None:
                self._heart.pause()

    def resume(self) -> None:
        """Pass frames again."""
        if not self._paused or self._over:
            return
        self._paused = False
        self._pass_held()
        if not self._paused and not self._over:
            self.transport.resumeProducing()
            if self._heart is not None:
                self._heart.resume()

    # Of Twisted.

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Start the time limit of the login."""
        options = self._options
        self.peer = peer.peer_name(self.transport)
        self.address = peer.counted_address(self.transport.getPeer())
        peer.watch(self.transport)
        self._output = Output(
            self._clock, self.transport, options.max_unread, options.read_timeout,
            self._blocked, self._writable, self._stuck,
        )  # fmt: skip
        self._too_many = self._owner.add(self)
        # The first bytes of one that is too many tell whether it understands an ERROR, or HTTP.
        self._timer = self._clock.callLater(LINGER if self._too_many else options.login_timeout, self._no_login)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Pass the frames of a segment to the session."""
        if self._over:
            return
        begins_tls = self._options.tls is not None and not self.encrypted and data[0] == _TLS_HANDSHAKE
        if self._too_many and not begins_tls:  # in TLS it can read the answer
            self._fail("refuse", self._too_many, answer=too_many_answer(self._too_many) if is_http(data) else b"")
            return
        if self._heart is not None:
            self._heart.heard()
        if self._paused or self._passing or self._deaf:
            self._held += b"" if self._deaf else data
            return
        if self._codec is not None or self._recognize(data):
            self._owner.received_bytes += len(data)
            self._pass(self._codec.frames(data))  # type: ignore[union-attr]
            self._pass_held()

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802 - Twisted's name
        """Forget the connection.

        The transport, with all that the client has not read, goes at once: somebody may still know the connection, such
        as a login in a thread, and the hub collects cyclic garbage seldom.
        """
        self._end(printable(reason.getErrorMessage()) if reason is not None else "", by_client=True)
        self._cancel_timer()
        self._owner.discard(self)
        self._output.lost()
        if self.encrypted:
            peer.release(self.transport)
        self._codec = self.transport = None

    # The stream.

    def _recognize(self, data: bytes) -> bool:
        """Choose the codec by the first bytes. :returns: false: there is nothing for it to read yet."""
        first, tls = data[0], self._options.tls
        if tls is not None and not self.encrypted:
            if first != _TLS_HANDSHAKE:
                self._fail("tls", "this port expects TLS, and the client speaks without it", hint=True)
                return False
            self.encrypted = True
            self.transport.startTLS(self._owner.tls_context(tls))
            self.transport.protocol.dataReceived(data)  # of TLS, from now on
            return False
        if first == _TLS_HANDSHAKE:
            self._fail("tls", "this port has no TLS, and the client begins with it", hint=True)
            return False
        try:
            stream = None if is_http(data) else Stream(self._parser)
            self._codec = stream or self._owner.web_socket(self._parser, self._output.write)
        except Closed as closed:
            self._leave(closed)
        return self._codec is not None

    def _pass(self, frames: Iterator[Frame]) -> None:
        """Pass frames to the session, until it pauses the connection."""
        self._frames, self._passing = frames, True
        frame: Frame | None = None
        try:
            session = self._session
            for frame in frames:
                if session is None:
                    session = self._session = self._owner.session(self)
                session.received(frame)
                frame = None
                if self._paused or self._over:
                    break
            else:
                self._frames = None
            if session is not None and not self._over:
                session.read()
        except Closed as closed:
            self._leave(closed)
        except ProtocolError as error:
            self._broken(error, frame)
        except Exception:
            self._owner.log.exception("internal error at a frame of %s", self.peer, extra={"action": "bug"})
            self._fail("bug", "internal error")
        finally:
            self._passing = False

    def _pass_held(self) -> None:
        """Pass what was held back."""
        while not (self._paused or self._passing or self._over) and (self._frames is not None or self._held):
            if self._frames is not None:
                self._pass(self._frames)
            else:
                data, self._held = self._held, b""
                self.dataReceived(data)

    def _broken(self, error: ProtocolError, frame: Frame | None) -> None:
        """Refuse a frame when those before it have their receipts. :param frame: ``None``: it could not be parsed."""
        self._deaf, self._held, self._frames = True, b"", None
        fail = partial(self._fail, "protocol", str(error), frame)
        if self._session is None:
            fail()
        else:
            self._session.broken(fail)

    def _wrap(self, frame: bytes) -> bytes:
        return frame if self._codec is None else self._codec.wrap(frame)

    # The end.

    def _fail(self, kind: str, text: str, frame: Frame | None = None, hint: bool = False, answer: bytes = b"") -> None:
        """Send an ERROR, or the answer instead, and close. :param hint: it speaks no STOMP, but may show the text."""
        if self._over:
            return
        self._owner.failed(kind, self.peer, text)
        receipt = None if frame is None else frame.headers.get("receipt")
        version = self._parser.version if self._agreed else Version.V10
        unreadable = self._codec is None and self._options.tls is not None and not (hint or self.encrypted)
        last = answer or (b"" if unreadable else encode_error(text, version, receipt))
        self._close(last, text, by_client=kind == "silent")

    def _close(self, frame: bytes, reason: str, by_client: bool = False) -> None:
        if self._over:
            return
        last = self._wrap(frame) if frame else b""
        if self._codec is not None:
            last += self._codec.closing()
        if last:
            self._output.write(last)
        self._finish(reason, by_client)

    def _finish(self, reason: str, by_client: bool) -> None:
        """End, and let the client read what is sent."""
        if self._over:
            return
        self._end(reason, by_client)
        self._output.close()
        self._cancel_timer()
        self._timer = self._clock.callLater(LINGER, self._expire)
        self.transport.resumeProducing()  # or the client's own end would not be seen
        if self.encrypted:
            self.transport.loseConnection()
        else:
            self.transport.loseWriteConnection()

    def _leave(self, closed: Closed) -> None:
        """Close as the codec wants it."""
        if closed.fault:
            self._owner.failed("websocket", self.peer, str(closed))
        if closed.reply:
            self._output.write(closed.reply)
        self._finish(str(closed), by_client=not closed.fault)

    def _abort(self, reason: str, by_client: bool = False) -> None:
        if not self._over:
            self._end(reason, by_client)
            self.transport.abortConnection()

    def _end(self, reason: str, by_client: bool) -> None:
        """Tell the session, once. :param by_client: as in ``Session.lost``."""
        if self._over:
            return
        self._over = True
        self._held, self._frames = b"", None
        if self._heart is not None:
            self._heart.stop()
            self._heart = None
        self._output.end()
        session, self._session = self._session, None
        if session is not None:
            session.lost(reason, by_client)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        self.transport.abortConnection()

    def _no_login(self) -> None:
        self._timer = None
        if self._too_many:
            self._fail("refuse", self._too_many)
        self._fail("login", f"no login within {self._options.login_timeout:g} s")

    def _silent(self, seconds: float) -> None:
        self._fail("silent", f"the client sent nothing for {seconds:.1f} s, and promised beats")

    def _stuck(self, reason: str) -> None:
        self._owner.failed("stuck", self.peer, reason)
        self._abort(reason, by_client=True)

    def _blocked(self) -> None:
        if self._session is not None:
            self._session.blocked()

    def _writable(self) -> None:
        if self._session is not None:
            self._session.writable()
