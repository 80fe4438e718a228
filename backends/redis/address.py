"""Address of a Redis server: ``redis://host:port``, or ``rediss://host:port`` for TLS."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

PORT, SENTINEL_PORT = 6379, 26379
"""Default ports of a server and of a Sentinel."""

_FORM = re.compile(r"(rediss?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")


@dataclass(frozen=True)
class Address:
    """Address of a server. :ivar host: a name or an IP address, without brackets. :ivar tls: whether TLS is used."""

    host: str
    port: int
    tls: bool = False

    @classmethod
    def parse(cls, text: str, port: int = PORT) -> Address:
        """Parse an address. :param port: where none is given. :raises ValueError: it is none; the text says what is
        expected."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r}: expected 'redis://host:port', or 'rediss://host:port' for TLS")
        number = int(found[3] or port)
        if not 0 < number < 1 << 16:
            raise ValueError(f"{text!r}: expected a port from 1 to 65535")
        return cls(found[2].strip("[]"), number, found[1] == "rediss")

    @property
    def is_private(self) -> bool:
        """True if nobody on another machine can read what is sent: it is encrypted, or stays on this one."""
        try:
            return self.tls or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'rediss' if self.tls else 'redis'}://{host}:{self.port}"


def _server(text: str) -> str:
    return str(Address.parse(text))


def _sentinel(text: str) -> str:
    return str(Address.parse(text, SENTINEL_PORT))


ServerAddress = Annotated[str, AfterValidator(_server)]
"""Setting type: the address of a server."""
SentinelAddress = Annotated[str, AfterValidator(_sentinel)]
"""Setting type: the address of a Sentinel."""
