"""PUB sockets of a backend, one for each endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.backends.zeromq.monitored_socket import MonitoredSocket
from hub.backends.zeromq.sockets import await_closed

Kind = Literal["bind", "connect"]


@dataclass(frozen=True)
class _Outlet:
    kind: Kind
    endpoint: str
    line: MonitoredSocket


class PublishSockets:
    """PUB sockets of a backend, which get each message.

    Each endpoint has a socket of its own, which can be closed. Unbinding one endpoint of an open PUB socket is not
    safe: if a slow subscriber disconnects at that moment, libzmq 4.3.5 ends the process.

    :param make: makes a new PUB socket.
    """

    def __init__(self, make: Callable[[], MonitoredSocket]) -> None:
        self._make = make
        self._outlets: list[_Outlet] = []
        self._past: Counter[str] = Counter()
        self._unbound: list[tuple[str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._outlets)

    def open(self, kind: Kind, endpoint: str, at: str | None = None) -> None:
        """Add an endpoint. :param at: see :meth:`MonitoredSocket.bind`. :raises Unavailable: it can't be bound."""
        line = self._make()
        try:
            if kind == "bind":
                line.bind(endpoint, at)
            else:
                line.connect(endpoint)
        except BaseException:
            line.close()
            raise
        line.start()
        self._outlets.append(_Outlet(kind, endpoint, line))

    def rebind(self) -> None:
        """Disconnect the subscribers of all bound endpoints; they can connect again.

        :raises Unavailable: an address can't be bound again. The next call retries it.
        """
        for outlet in [one for one in self._outlets if one.kind == "bind"]:
            self._unbound += [(outlet.endpoint, at) for _, at in outlet.line.bound()]
            self.drop("bind", outlet.endpoint)
        await_closed([at for _, at in self._unbound])
        while self._unbound:
            self.open("bind", *self._unbound[0])
            del self._unbound[0]

    def drop(self, kind: Kind, endpoint: str) -> None:
        """Remove an endpoint. Unsent messages have their linger."""
        for outlet in [one for one in self._outlets if (one.kind, one.endpoint) == (kind, endpoint)]:
            self._outlets.remove(outlet)
            counts = outlet.line.counts()
            self._past.update({name: count for name, count in counts.items() if name != "peers"})
            outlet.line.close()

    def send_multipart(self, frames: Sequence[bytes], flags: int, /) -> None:
        """Send the frames to all sockets. :raises zmq.ZMQError: one did not accept them."""
        for outlet in self._outlets:
            outlet.line.socket.send_multipart(frames, flags)
            outlet.line.wake()

    def endpoints(self) -> list[dict[str, Any]]:
        """Status rows of all endpoints, the bound ones first."""
        first = sorted(self._outlets, key=lambda outlet: outlet.kind)
        return [row for outlet in first for row in outlet.line.endpoints("publish")]

    def counts(self) -> Counter[str]:
        """Status counters of connections, those of removed endpoints included."""
        counts = Counter(self._past)
        for outlet in self._outlets:
            counts.update(outlet.line.counts())
        return counts

    def close(self) -> None:
        """Close all sockets."""
        for outlet in self._outlets:
            outlet.line.close()
