"""Sentinels: which server is the master."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hub.backends.broker_address import Address
from hub.backends.redis.address import SERVER
from hub.backends.redis.line import Dialer, ErrorReply, Lost
from hub.backends.redis.replies import refusal_text
from hub.backends.redis.settings import Config

PATIENCE = 1.0
"""Seconds for a Sentinel to connect and to answer: the others are asked in turn."""


class Sentinels:
    """Asks the Sentinels for the master. Threads call it.

    A master is one that more than half of all configured Sentinels name: one that is cut off with the old master goes
    on to name that.
    """

    def __init__(self, config: Config, dialer: Dialer) -> None:
        self._config = config
        self._dialer = dialer

    def master(self) -> Address:
        """Address of the master. :raises Lost: the Sentinels do not agree on one; the text says why."""
        named: Counter[Address] = Counter()
        troubles: list[str] = []
        for sentinel in self._config.sentinel_addresses:
            try:
                named[self._ask(sentinel)] += 1
            except (Lost, ErrorReply) as error:
                words = refusal_text(error) if isinstance(error, ErrorReply) else str(error)
                troubles.append(f"{sentinel}: {words}")
        needed = len(self._config.sentinels) // 2 + 1
        for address, count in named.most_common(1):
            if count >= needed:
                return address
        told = [f"{count} name {address}" for address, count in named.most_common()]
        raise Lost(f"of {len(self._config.sentinels)} Sentinels {needed} must agree: {'; '.join([*told, *troubles])}")

    def _ask(self, sentinel: Address) -> Address:
        line = self._dialer.dial(sentinel, PATIENCE, PATIENCE)
        try:
            found: Any = line.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._config.master)
        finally:
            line.close()
        if not found:
            raise Lost(f"it knows no master {self._config.master!r}")
        host, port = found
        return Address(host.decode(), int(port), self._config.tls, SERVER)
