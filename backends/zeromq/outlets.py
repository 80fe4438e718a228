"""Where a backend publishes: one PUB socket for each endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.backends.zeromq.line import Line
from hub.backends.zeromq.sockets import await_closed

Kind = Literal["bind", "connect"]


@dataclass(frozen=True)
class _Outlet:
    kind: Kind
    endpoint: str
    line: Line


class Outlets:
    """All of them together.

    Each endpoint has a socket of its own, because that can be closed. To take a bound endpoint from a PUB socket that
    goes on is not safe: if a listener of it that is slow hangs up at that moment, libzmq 4.3.5 ends the process.

    :param make: gives a line with a new socket.
    """

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._outlets: list[_Outlet] = []
        self._past: Counter[str] = Counter()
        self._unbound: list[tuple[str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._outlets)

    def open(self, kind: Kind, endpoint: str, at: str | None = None) -> None:
        """One more. :param at: see :meth:`Line.bind`. :raises Unavailable: it can't be bound."""
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
        """Cut off the listeners that came by what is bound; they may come again.

        :raises Unavailable: an address can't be bound again. The next call tries it again.
        """
        for outlet in [one for one in self._outlets if one.kind == "bind"]:
            self._unbound += [(outlet.endpoint, at) for _, at in outlet.line.bound()]
            self.drop("bind", outlet.endpoint)
        await_closed([at for _, at in self._unbound])
        while self._unbound:
            self.open("bind", *self._unbound[0])
            del self._unbound[0]

    def drop(self, kind: Kind, endpoint: str) -> None:
        """Publish there no longer; what was sent and is not out yet has its linger."""
        for outlet in [one for one in self._outlets if (one.kind, one.endpoint) == (kind, endpoint)]:
            self._outlets.remove(outlet)
            counts = outlet.line.counts()
            self._past.update({name: count for name, count in counts.items() if name != "peers"})
            outlet.line.close()

    def send_multipart(self, frames: Sequence[bytes], flags: int, /) -> None:
        """To all. :raises zmq.ZMQError: one did not take it."""
        for outlet in self._outlets:
            outlet.line.socket.send_multipart(frames, flags)
            outlet.line.wake()

    def endpoints(self) -> list[dict[str, Any]]:
        """For the status; those that are bound come first."""
        first = sorted(self._outlets, key=lambda outlet: outlet.kind)
        return [row for outlet in first for row in outlet.line.endpoints("publish")]

    def counts(self) -> Counter[str]:
        """For the status: what happened to connections, to those of dropped endpoints too."""
        counts = Counter(self._past)
        for outlet in self._outlets:
            counts.update(outlet.line.counts())
        return counts

    def close(self) -> None:
        """Close all sockets."""
        for outlet in self._outlets:
            outlet.line.close()
