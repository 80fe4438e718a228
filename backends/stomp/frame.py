"""Frames of STOMP, its versions, and the encoder. Pure.

The format is that of the specification's "Augmented BNF"; the escapes of header names and values are those of its
"Value Encoding", which differ by version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from hub.errors import HubError


class ProtocolError(HubError):
    """The peer broke the protocol or a limit. The text says what is wrong and what was expected: it goes into the
    ``message`` header of an ERROR frame, after which the connection is closed."""


class Version(StrEnum):
    """A version of the protocol. The texts compare in the order of the versions."""

    V10 = "1.0"
    V11 = "1.1"
    V12 = "1.2"

    @classmethod
    def best(cls, accept: str | None) -> Version | None:
        """Choose the highest version that both sides know; ``None``: they have none in common.

        :param accept: the ``accept-version`` header of a CONNECT frame; ``None``: it has none, which is how a client
            of version 1.0 connects.
        """
        if accept is None:
            return cls.V10
        offered = {item.strip() for item in accept.split(",")}
        return max((version for version in cls if version in offered), default=None)


class Frame(msgspec.Struct, gc=False):
    """A frame as it was received.

    :ivar command: as sent, in upper case if the peer keeps to the specification. It may be unknown.
    :ivar headers: unescaped; the first of repeated headers. Frames with the same head share them: they must not change.
    """

    command: str
    headers: Mapping[str, str]
    body: bytes = b""


NOT_ESCAPED = frozenset({"CONNECT", "STOMP", "CONNECTED"})
"""Frames whose headers are not escaped in any version: the version is not agreed yet. The specification names CONNECT
and CONNECTED; STOMP is CONNECT's other name."""

_ESCAPES = {"\\": "\\\\", "\n": "\\n", ":": "\\c", "\r": "\\r", "\0": "\N{REPLACEMENT CHARACTER}"}


def _escape(pattern: str) -> Callable[[str], str]:
    sub = re.compile(pattern).sub
    return lambda text: sub(lambda match: _ESCAPES[match[0]], text)


_NONE = _escape("[\n\0]"), _escape("[\n:\0]")
"""Rules of a version without escapes. A line break would forge a header, and a colon would end a name: they are written
as later versions do, so that nothing is lost to a reader. No frame can carry NUL in a header, in any version."""
_V11 = _escape("[\\\\\n:\0]")
_V12 = _escape("[\\\\\n:\r\0]")
_ESCAPE = {Version.V10: _NONE, Version.V11: (_V11, _V11), Version.V12: (_V12, _V12)}
"""Functions that escape a value, and a name."""


def encode_headers(headers: Mapping[str, str], version: Version) -> bytes:
    """Encode header lines, a line break after each.

    They can be encoded once and then put together: those of a subscription, and those of a message that many
    subscribers of the same version get.
    """
    lines = []
    for name, value in headers.items():
        lines.append(f"{name}:{value}\n")
    text = "".join(lines)
    plain = text.count(":") == text.count("\n") == len(lines) and "\\" not in text
    if not plain or "\r" in text or "\0" in text:
        escaped, escaped_name = _ESCAPE[version]
        text = "".join([f"{escaped_name(name)}:{escaped(value)}\n" for name, value in headers.items()])
    return text.encode("utf-8", "replace")  # of half a surrogate pair, which a text of Python can hold


def assemble(head: bytes, body: bytes) -> bytes:
    """Make a frame of its command line and header lines, each with its line break, and a body.

    A frame with a body gets ``content-length``: the body may hold NUL. ``head`` must not have that header.
    """
    if not body:
        return head + b"\n\0"
    return b"".join((head, b"content-length:", str(len(body)).encode(), b"\n\n", body, b"\0"))


def encode(command: str, headers: Mapping[str, str], body: bytes = b"", version: Version = Version.V12) -> bytes:
    """Encode a whole frame. :param headers: without ``content-length``, which a body brings."""
    rules = Version.V10 if command in NOT_ESCAPED else version
    return assemble(command.encode() + b"\n" + encode_headers(headers, rules), body)


def encode_error(text: str, version: Version, receipt: str | None = None, /, **headers: str) -> bytes:
    """Encode an ERROR frame, with the text as its message and body.

    :param receipt: the id of the receipt that the refused frame asked for. :param headers: further ones.
    """
    told = {"message": text, "content-type": "text/plain", **headers}
    if receipt is not None:
        told["receipt-id"] = receipt
    return encode("ERROR", told, text.encode("utf-8", "replace"), version)
