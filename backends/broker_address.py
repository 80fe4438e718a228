"""Addresses of brokers: ``SCHEME://host:port``, and another scheme for TLS."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_FORM = re.compile(r"([a-z+]+)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")


@dataclass(frozen=True)
class Scheme:
    """Schemes of one protocol's addresses, without TLS and with it, and their default ports."""

    plain: str
    encrypted: str
    port: int
    tls_port: int

    def parse(self, text: str) -> Address:
        """Parse an address. :raises ValueError: it is none; the text says what is expected."""
        found = _FORM.fullmatch(text)
        if found is None or found[1] not in (self.plain, self.encrypted):
            raise ValueError(
                f"{text!r}: expected '{self.plain}://host:port', or '{self.encrypted}://host:port' for TLS"
            )
        tls = found[1] == self.encrypted
        port = int(found[3] or (self.tls_port if tls else self.port))
        if not 0 < port < 1 << 16:
            raise ValueError(f"{text!r}: expected a port from 1 to 65535")
        return Address(found[2].strip("[]"), port, tls, self)

    def written(self, text: str) -> str:
        """The address in its full form. :raises ValueError: it is none."""
        return str(self.parse(text))


@dataclass(frozen=True)
class Address:
    """Address of a broker. :ivar host: a name or an IP address, without brackets. :ivar tls: whether TLS is used."""

    host: str
    port: int
    tls: bool
    scheme: Scheme

    @property
    def is_private(self) -> bool:
        """True if nobody on another machine can read what is sent: it is encrypted, or stays on this one."""
        try:
            return self.tls or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme.encrypted if self.tls else self.scheme.plain}://{host}:{self.port}"
