"""Head of a STOMP frame: the command and the headers, up to the empty line. Pure."""

from __future__ import annotations

import re

from hub.backends.stomp.frame import NOT_ESCAPED, Frame, ProtocolError, Version
from hub.backends.stomp.limits import Limits
from hub.text import printable

_LONGEST_NUMBER = 18
"""Digits of a number: no body, interval or count needs more, and Python reads long numbers slowly."""
_SHOWN = 60
"""Characters of the peer's input that an error shows."""
_UNESCAPED = {
    Version.V11: {"\\\\": "\\", "\\n": "\n", "\\c": ":"},
    Version.V12: {"\\\\": "\\", "\\n": "\n", "\\c": ":", "\\r": "\r"},
}
_ESCAPE = re.compile(r"\\.?", re.DOTALL)


def parse_head(head: bytes, version: Version, limits: Limits) -> Frame:
    """Parse a head into a frame without a body. The first of repeated headers wins.

    Nothing is trimmed but in version 1.0, whose specification has spaces in its examples. A frame that agrees on the
    version is of 1.0 if it names none.

    :param head: without the line breaks at its end.
    :raises ProtocolError: it breaks the format or a limit.
    """
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        part = head[error.start : error.start + _SHOWN]
        raise ProtocolError(f"the headers are not UTF-8 at {part!r}") from None
    if "\0" in text:
        raise unfinished(text, version)
    if "\r" in text and version is Version.V12:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    lines = text.split("\n")
    command = lines.pop(0)
    if len(head) > limits.line or len(lines) > limits.headers:
        _check(command, lines, limits)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name:
            raise _no_header(line, version)
        if name not in headers:
            headers[name] = value
    if command in NOT_ESCAPED:
        if "accept-version" not in headers and "version" not in headers:
            headers = _trimmed(headers)
    elif version is Version.V10:
        headers = _trimmed(headers)
    elif "\\" in text:
        headers = _unescaped(lines, version)
    return Frame(command, headers)


def content_length(frame: Frame) -> int | None:
    """Bytes of the body as the header says; ``None``: it ends at the first NUL.

    :raises ProtocolError: the header is no number of bytes.
    """
    text = frame.headers.get("content-length")
    if text is None:
        return None
    length = number_of(text)
    if length is None:
        raise ProtocolError(f"content-length is {shown(text)}: expected a number of bytes")
    return length


def number_of(text: str, digits: int = _LONGEST_NUMBER) -> int | None:
    """Parse a number in a header; ``None``: it is none, or has more digits than it may have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def unfinished(text: str, version: Version) -> ProtocolError:
    """The error of a frame whose NUL comes before the empty line."""
    command = text.partition("\n")[0].partition("\0")[0]
    if "\r\n" in text and version is not Version.V12:
        return _crlf(version)
    return ProtocolError(f"frame {shown(command)} ends within its headers: expected an empty line before NUL")


def shown(text: str) -> str:
    """Quote some of the peer's input for an error; control characters are escaped."""
    return f"'{printable(text[:_SHOWN])}'" + ("..." if len(text) > _SHOWN else "")


def _check(command: str, lines: list[str], limits: Limits) -> None:
    if len(lines) > limits.headers:
        raise ProtocolError(f"frame {shown(command)} has more than {limits.headers} headers")
    longest = max((command, *lines), key=lambda line: len(line.encode()))
    if len(longest.encode()) > limits.line:
        raise ProtocolError(f"line {shown(longest)} has more than {limits.line} bytes")


def _no_header(line: str, version: Version) -> ProtocolError:
    if line.endswith("\r") and version is not Version.V12:
        return _crlf(version)
    if line.startswith(":"):
        return ProtocolError(f"header {shown(line)} has no name: expected 'name:value'")
    return ProtocolError(f"header {shown(line)} has no colon: expected 'name:value'")


def _crlf(version: Version) -> ProtocolError:
    return ProtocolError(f"a line ends with CR LF: STOMP {version} expects LF, CR LF is of 1.2")


def _trimmed(headers: dict[str, str]) -> dict[str, str]:
    trimmed: dict[str, str] = {}
    for name, value in headers.items():
        trimmed.setdefault(name.strip(), value.strip())
    return trimmed


def _unescaped(lines: list[str], version: Version) -> dict[str, str]:
    known = _UNESCAPED[version]
    line = ""

    def replaced(match: re.Match[str]) -> str:
        escape = match[0]
        if escape not in known:
            raise ProtocolError(
                f"header {shown(line)} has {shown(escape)}: STOMP {version} has the escapes {' '.join(known)}"
            )
        return known[escape]

    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if "\\" in line:
            name, value = _ESCAPE.sub(replaced, name), _ESCAPE.sub(replaced, value)
        headers.setdefault(name, value)
    return headers
