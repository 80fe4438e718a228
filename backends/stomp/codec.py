"""Codecs: how STOMP's frames lie in the bytes of a connection. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from hub.backends.stomp.frame import Frame
from hub.backends.stomp.parser import Parser


class Codec(Protocol):
    """A codec of one connection.

    :ivar proxied: true if a proxy says that it speaks for a client, which may be anywhere.
    """

    proxied: bool

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Parse received bytes, as :meth:`hub.backends.stomp.parser.Parser.feed` does.

        :raises ProtocolError: STOMP is broken. :raises Closed: the connection is over.
        """

    def wrap(self, frame: bytes) -> bytes:
        """Return the bytes that carry one encoded frame, or a beat: a single line break."""

    def wrap_all(self, frames: Sequence[bytes]) -> bytes:
        """Return the bytes that carry some encoded frames."""

    def closing(self) -> bytes:
        """Return the last bytes of the connection."""


class Closed(Exception):
    """The connection is over by the codec's own rules.

    :ivar reply: the last bytes to send. :ivar fault: true if the client broke the rules; else it closed in order.
    """

    def __init__(self, reason: str, reply: bytes = b"", fault: bool = False) -> None:
        super().__init__(reason)
        self.reply = reply
        self.fault = fault


class Stream:
    """The codec of TCP, TLS and Unix sockets: frame after frame."""

    proxied = False

    def __init__(self, parser: Parser) -> None:
        self.frames = parser.feed

    def wrap(self, frame: bytes) -> bytes:
        """Return the frame itself."""
        return frame

    def wrap_all(self, frames: Sequence[bytes]) -> bytes:
        """Return the frames, joined."""
        return b"".join(frames)

    def closing(self) -> bytes:
        """Return nothing: the stream just ends."""
        return b""
