"""Address of a broker: ``stomp://host:port``, or ``stomp+ssl://host:port`` for TLS."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

PORT, TLS_PORT = 61613, 61614
"""Default ports, those of ActiveMQ and RabbitMQ."""

_FORM = re.compile(r"(stomp|stomp\+ssl)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")


@dataclass(frozen=True)
class Address:
    """Address of a broker. :ivar host: a name or an IP address, without brackets. :ivar tls: whether TLS is used."""

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse an address. :raises ValueError: it is none; the text says what is expected."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r}: expected 'stomp://host:port', or 'stomp+ssl://host:port' for TLS")
        tls = found[1] == "stomp+ssl"
        port = int(found[3] or (TLS_PORT if tls else PORT))
        if not 0 < port < 1 << 16:
            raise ValueError(f"{text!r}: expected a port from 1 to 65535")
        return cls(found[2].strip("[]"), port, tls)

    @property
    def is_private(self) -> bool:
        """True if nobody on another machine can read what is sent: it is encrypted, or stays on this one."""
        try:
            return self.tls or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'stomp+ssl' if self.tls else 'stomp'}://{host}:{self.port}"


def _address(text: str) -> str:
    return str(Address.parse(text))


BrokerAddress = Annotated[str, AfterValidator(_address)]
"""Setting type: the address of a broker."""
