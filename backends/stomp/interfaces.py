"""Protocols between a connection, its session and its owner. This module holds no behaviour."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hub.backends.stomp.codec import Codec
from hub.backends.stomp.frame import Frame, Version
from hub.backends.stomp.options import Options
from hub.backends.stomp.parser import Parser
from hub.backends.stomp.tls import ServerTLS


class Transport(Protocol):
    """A connection, as its session sees it.

    :ivar peer: the client, for the log: address and port, or the user and process behind a Unix socket.
    :ivar loopback: true if the client is on this machine, and no proxy says that it speaks for another one.
    :ivar encrypted: true if the connection uses TLS.
    :ivar certificate: common name of the client's certificate; ``None``: it has none. It is verified.
    :ivar version: the version that CONNECT agreed on; it holds for the frames after that. Read before, it is 1.2.
    """

    @property
    def peer(self) -> str: ...  # noqa: D102 - see the class
    @property
    def loopback(self) -> bool: ...  # noqa: D102
    @property
    def encrypted(self) -> bool: ...  # noqa: D102
    @property
    def certificate(self) -> str | None: ...  # noqa: D102
    @property
    def version(self) -> Version: ...  # noqa: D102
    @version.setter
    def version(self, version: Version) -> None: ...

    def agree(self, heart_beat: str | None) -> str:
        """Log the client in: its frames may be larger, beats begin, and the time limit of a login is over. CONNECTED
        must be sent before the reactor goes on.

        :param heart_beat: the header of CONNECT. :returns: that of CONNECTED. :raises ProtocolError: it is malformed.
        """

    def send(self, frame: bytes) -> None:
        """Send one encoded frame. Frames that are sent in one turn of the reactor leave together."""

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Send encoded frames."""

    def close(self, frame: bytes = b"") -> None:
        """Send a last frame, an ERROR perhaps, and close. ``Session.lost`` is called before this returns."""

    def abort(self) -> None:
        """Cut the connection. ``Session.lost`` is called before this returns."""

    def pause(self) -> None:
        """Pass no more frames, and read nothing from the client, whose silence does not count meanwhile."""

    def resume(self) -> None:
        """Continue after ``pause``; the frames that were held are passed before this returns, unless it is called
        while a frame is passed."""


class Session(Protocol):
    """A session, as its connection sees it. It is made when the first frame comes. No call follows ``lost``."""

    def received(self, frame: Frame) -> None:
        """Handle a frame. :raises ProtocolError: an ERROR with its text is sent, and the connection is closed."""

    def read(self) -> None:
        """Handle what the frames since the last call brought together: one segment of the stream is over."""

    def broken(self, end: Callable[[], None]) -> None:
        """Make the call, which ends the connection with an ERROR, once the frames that came before have their receipts:
        what follows can't be parsed. Frames come no more."""

    def blocked(self) -> None:
        """Send no more for now: the client does not read. It may be called within ``Transport.send``."""

    def writable(self) -> None:
        """Continue to send: the client has read all."""

    def lost(self, reason: str, by_client: bool) -> None:
        """The connection is over. Called once.

        :param by_client: whether the client, or the network, has ended it, or it was cut because the client is silent
            or does not read; false: the server has closed it.
        """


SessionFactory = Callable[[Transport], Session]


class Owner(Protocol):
    """The owner of a connection, as it sees it: :class:`hub.backends.stomp.connections.Connections`.

    :ivar reactor: Twisted's; a clock for tests. :ivar received_bytes: from all clients.
    :ivar session: makes the session of a connection.
    """

    reactor: Any
    options: Options
    log: logging.LoggerAdapter[logging.Logger]
    received_bytes: int
    session: SessionFactory

    def add(self, connection: Any) -> str:
        """Add a connection that was made. :returns: why it is too many; empty: it is within the limits."""

    def discard(self, connection: Any) -> None:
        """Forget a connection that is gone."""

    def failed(self, kind: str, peer: str, text: str) -> None:
        """Count and log a connection that is ended for a reason."""

    def tls_context(self, tls: ServerTLS) -> Any:
        """Return the context of a new TLS connection."""

    def web_socket(self, parser: Parser, write: Callable[[bytes], None]) -> Codec:
        """Make the codec of a connection that begins with an HTTP request. :raises Closed: it can't."""
