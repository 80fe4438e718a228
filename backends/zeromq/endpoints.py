"""Endpoints that a ZeroMQ socket binds or connects to: their text, parsed and checked."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from hub.unixsocket import LONGEST_PATH

_TCP = re.compile(r"tcp://(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:/;\[\]\s]+)):(?P<port>\d{1,5}|\*)", re.ASCII)
_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")


@dataclass(frozen=True)
class Endpoint:
    """Endpoint, parsed. ``host`` is without brackets; for ipc it is the path, and ``port`` is empty."""

    transport: str
    host: str
    port: str = ""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Parse an endpoint. :raises ValueError: the backend can't use it; the text says why."""
        if text.startswith("ipc://"):
            return cls("ipc", _path(text))
        if text.startswith("inproc://"):
            raise ValueError(f"{text!r}: inproc reaches nothing outside the hub; use ipc or tcp")
        if text.startswith("tcp://") and text.count(":") > 2 and "[" not in text:
            raise ValueError(f"{text!r}: write an IPv6 address in brackets, as in 'tcp://[::1]:9940'")
        match = _TCP.fullmatch(text)
        if match is None:
            raise ValueError(f"expected 'tcp://host:port', 'tcp://[::1]:port' or 'ipc:///path', not {text!r}")
        host = match["host"] if match["v6"] is None else _ipv6(match["v6"], text)
        if match["v6"] is None and host != "*" and not _HOST.fullmatch(host):
            raise ValueError(f"{text!r}: {host!r} is not a host name or an address")
        if match["port"] != "*" and int(match["port"]) > 65535:
            raise ValueError(f"{text!r}: a port is at most 65535")
        return cls("tcp", host, match["port"])

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """IP address of the host; ``None`` for a name, ``*`` and ipc."""
        try:
            return ipaddress.ip_address(self.host) if self.transport == "tcp" else None
        except ValueError:
            return None

    @property
    def any_port(self) -> bool:
        """True if the system is to choose the port."""
        return self.transport == "tcp" and (self.port == "*" or int(self.port) == 0)

    @property
    def is_private(self) -> bool:
        """True if only this machine can reach it: loopback, or a Unix socket."""
        if self.transport == "ipc" or self.host == "localhost":
            return True
        return self.address is not None and self.address.is_loopback

    def at(self, host: str, port: str | None = None) -> Endpoint:
        """Copy with another host (and port)."""
        return Endpoint(self.transport, host, self.port if port is None else port)

    def __str__(self) -> str:
        if self.transport == "ipc":
            return f"ipc://{self.host}"
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"


def _path(text: str) -> str:
    path = text.removeprefix("ipc://")
    if not path.startswith(("/", "@")) or len(path) < 2 or not path.isprintable():
        raise ValueError(f"{text!r}: ipc takes an absolute path, as in 'ipc:///run/bus.sock'")
    if len(path.encode()) > LONGEST_PATH:
        raise ValueError(f"{text!r}: the path of a Unix socket is at most {LONGEST_PATH} bytes long")
    return path


def _ipv6(host: str, text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(host))
    except ValueError:
        raise ValueError(f"{text!r}: {host!r} is not an IPv6 address") from None


def _connectable(text: str) -> str:
    endpoint = Endpoint.parse(text)
    if endpoint.host == "*" or endpoint.any_port:
        raise ValueError(f"{text!r}: to connect takes a host and a port, not '*' or 0")
    return text


def _bindable(text: str) -> str:
    Endpoint.parse(text)
    return text


ConnectEndpoint = Annotated[str, AfterValidator(_connectable)]
"""Setting type: an endpoint to connect to."""
BindEndpoint = Annotated[str, AfterValidator(_bindable)]
"""Setting type: an endpoint to bind; host ``*`` is all addresses, port ``*`` or 0 any free one."""
