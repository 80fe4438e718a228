"""Limits on what a peer of STOMP may send."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Limits on what a peer may send; they bound the memory of its connection.

    :ivar headers: headers of a frame. :ivar line: bytes of the command or of a header, without the line break.
    :ivar body: bytes. :ivar before_login: bytes of a frame, all in all, until :meth:`Parser.logged_in`.
    """

    headers: int = 100
    line: int = 10 << 10
    body: int = 8 << 20
    before_login: int = 10 << 10

    @property
    def head(self) -> int:
        """Bytes of a command and headers at most."""
        return (self.headers + 1) * (self.line + 2)
