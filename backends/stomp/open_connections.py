"""Open connections of a STOMP server, counted on all its ports together."""

from __future__ import annotations

from collections import Counter


class OpenConnections:
    """Counts of open connections; belongs to the reactor's thread.

    :ivar total: all. :ivar of_address: by the address of the client; those of Unix sockets have none.
    """

    def __init__(self) -> None:
        self.total = 0
        self.of_address: Counter[str] = Counter()

    def add(self, address: str | None) -> None:
        """Count a connection. :param address: see :func:`hub.backends.stomp.peer.counted_address`."""
        self.total += 1
        if address is not None:
            self.of_address[address] += 1

    def discard(self, address: str | None) -> None:
        """Count a connection that is gone."""
        self.total -= 1
        if address is not None:
            self.of_address[address] -= 1
            if not self.of_address[address]:
                del self.of_address[address]
