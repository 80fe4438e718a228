"""Parser of a stream of bytes into STOMP frames, within limits. Pure.

It takes time in proportion to the bytes, however they are cut. The loop in ``_frames`` runs for every frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hub.backends.stomp.frame import Frame, ProtocolError, Version
from hub.backends.stomp.head import content_length, parse_head, unfinished
from hub.backends.stomp.limits import Limits

WITH_BODY = frozenset({"SEND", "MESSAGE", "ERROR"})
"""Commands of frames that may have a body, by the specification."""

_LINE_BREAKS = re.compile(rb"[\r\n]*")
_END_OF_HEAD = {
    Version.V10: re.compile(b"\n\n").search,
    Version.V11: re.compile(b"\n\n").search,
    Version.V12: re.compile(b"\n\r?\n").search,
}


class Parser:
    """Parser of the input of one connection.

    :param limits: those after the login, too; see :meth:`logged_in`.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._logged_in = False
        self._rest = bytearray()
        """Input of an incomplete frame: of its head, or, if there is a ``_frame``, of its body."""
        self._searched = 0
        """Bytes of the rest that do not have the end."""
        self._frame: Frame | None = None
        self._length: int | None = None
        self._most = 0
        """Bytes of this frame's body at most."""
        self._skip_nul = False
        self._error: str | None = None
        """Text, not exception: that would hold the caller's frames, and with them the connection, in a cycle."""
        self._last_head = b""
        self._last_command = ""
        self._last_headers: Mapping[str, str] = {}
        self.version = Version.V12

    @property
    def version(self) -> Version:
        """Rules for line breaks and escapes.

        It may be set between two frames that :meth:`feed` yields, when CONNECT has agreed on it. Until then both kinds
        of line breaks are known.
        """
        return self._version

    @version.setter
    def version(self, version: Version) -> None:
        self._version = version
        self._end_of_head = _END_OF_HEAD[version]
        self._last_head = b""

    def logged_in(self) -> None:
        """Apply the limits of a peer that is known, from the next frame on."""
        self._logged_in = True
        self._last_head = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Parse the next bytes. The iterator must be read to its end before the next call, or given up for good.

        :raises ProtocolError: after the frames before the wrong one; again at each further call.
        """
        if self._error is not None:
            raise ProtocolError(self._error)
        try:
            yield from self._frames(data)
        except ProtocolError as error:
            self._error = str(error)
            raise

    def complete(self) -> Iterator[Frame]:
        """Complete a frame at the end of a WebSocket message that was cut at NUL, as React Native does.

        Only a frame that lacks nothing but NUL, by its content-length or because it can't have a body: of others
        more may come. If the NUL comes after all, it is skipped.
        """
        frame, rest = self._frame, self._rest
        if frame is None or len(rest) != (self._length or 0):
            return
        if self._length is None and frame.command in WITH_BODY:
            return
        frame.body = bytes(rest)
        self._frame, self._searched, self._skip_nul = None, 0, True
        rest.clear()
        yield frame

    def _frames(self, data: bytes) -> Iterator[Frame]:
        if self._skip_nul and data:
            data, self._skip_nul = data.removeprefix(b"\0"), False
        if self._rest or self._frame is not None:
            data = self._joined(data)
        at, size = 0, len(data)
        while at < size:
            frame = self._frame
            if frame is None:
                if data[at] in b"\r\n":
                    at = _LINE_BREAKS.match(data, at).end()  # type: ignore[union-attr]
                    continue
                end = self._end_of_head(data, at)
                if end is None:
                    break
                frame = self._head(data[at : end.start()])
                at = end.end()
            length = self._length
            stop = data.find(b"\0", at) if length is None else at + length
            if stop < 0 or stop >= size:
                self._frame = frame
                break
            if length is None and stop - at > self._most:
                self._check_body(stop - at)
            elif data[stop]:
                raise ProtocolError(f"no NUL after the {length} bytes of the body that content-length names")
            frame.body = data[at:stop]
            self._frame = None
            at = stop + 1
            yield frame
        if at < size:
            self._rest += data[at:]
            self._check_rest()

    def _joined(self, data: bytes) -> bytes:
        """Join the rest and the next bytes. :returns: nothing as long as the frame is incomplete: what is there is
        neither searched nor copied again."""
        rest, searched = self._rest, self._searched
        rest += data
        if self._frame is None:
            complete = self._end_of_head(rest, max(0, searched - 2)) is not None
        elif self._length is None:
            complete = rest.find(b"\0", searched) >= 0
        else:
            complete = len(rest) > self._length
        if not complete:
            self._check_rest()
            return b""
        joined = bytes(rest)
        rest.clear()
        self._searched = 0
        return joined

    def _head(self, head: bytes) -> Frame:
        """Parse a head; note the length of the body, and check it before the body comes.

        A publisher's frames often have the same head: it is parsed once.
        """
        if head == self._last_head:
            return Frame(self._last_command, self._last_headers)
        limits = self._limits
        if not self._logged_in:
            self._check_head(head)
        frame = parse_head(head, self._version, limits)
        self._length = length = content_length(frame)
        self._most = limits.body if self._logged_in else limits.before_login - len(head)
        if length is not None and length > self._most:
            self._check_body(length)
        self._last_head, self._last_command, self._last_headers = head, frame.command, frame.headers
        return frame

    def _check_rest(self) -> None:
        """Check an incomplete frame: its memory is bounded, and an error is told before more of it comes."""
        rest, searched = self._rest, self._searched
        self._searched = len(rest)
        if self._frame is not None:
            if self._length is None:
                self._check_body(len(rest))
            return
        if rest.find(b"\0", searched) >= 0:
            raise unfinished(rest.decode("utf-8", "replace"), self._version)
        self._check_head(rest)
        line = len(rest) - rest.rfind(b"\n") - 1
        if line > self._limits.line + 1:  # its end may be half a line break
            raise ProtocolError(f"a line has more than {self._limits.line} bytes")

    def _check_head(self, head: bytes | bytearray) -> None:
        limits = self._limits
        if not self._logged_in and len(head) > limits.before_login:
            raise ProtocolError(f"a frame before the login has more than {limits.before_login} bytes")
        if len(head) > limits.head:
            raise ProtocolError(f"a frame has more than {limits.headers} headers")

    def _check_body(self, size: int) -> None:
        if size <= self._most:
            return
        if not self._logged_in:
            raise ProtocolError(f"a frame before the login has more than {self._limits.before_login} bytes")
        raise ProtocolError(f"a body has {size} bytes or more: at most {self._most} are allowed")
