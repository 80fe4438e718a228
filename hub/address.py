"""Address that a server listens on: ``127.0.0.1:9941``, ``[::1]:9941`` or ``unix:/run/hubbub/web.sock``."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import msgspec

from hub.unixsocket import LONGEST_PATH

SYNTAX = "'127.0.0.1:9941', '[::1]:9941' or 'unix:/path'"


class TcpAddress(msgspec.Struct, frozen=True):
    """TCP address of this machine, numeric: the meaning of a name may change."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """True if only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def url(self) -> str:
        """URL for a browser on this machine."""
        if ipaddress.ip_address(self.host).is_unspecified:
            return f"http://localhost:{self.port}/"
        return f"http://{self}/"


class UnixAddress(msgspec.Struct, frozen=True):
    """Unix socket, whose file permissions are the access control."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


Address = TcpAddress | UnixAddress


def parse(text: str) -> Address:
    """Parse an address. :raises ValueError: it has none of the three forms."""
    if text.startswith("unix:"):
        return _unix(text.removeprefix("unix:"))
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|localhost)):([0-9]{1,5})", text)
    if match is None:
        raise ValueError(f"expected {SYNTAX}, not {text!r}")
    bracketed, plain, port = match.groups()
    try:
        host = ipaddress.IPv6Address(bracketed) if bracketed else ipaddress.IPv4Address(_number(plain))
    except ValueError as error:
        raise ValueError(f"expected {SYNTAX}, not {text!r}: {error}") from error
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"expected a port from 1 to 65535, not {port}")
    return TcpAddress(str(host), int(port))


def valid(text: str) -> str:
    """Check an address, and return the text. :raises ValueError: as :func:`parse`."""
    parse(text)
    return text


def _number(host: str) -> str:
    return "127.0.0.1" if host == "localhost" else host


def _unix(path: str) -> UnixAddress:
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"expected 'unix:' and a path from /, not {path!r}")
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        raise ValueError(f"a socket's path has at most {LONGEST_PATH} bytes: {path}")
    return UnixAddress(Path(path))
