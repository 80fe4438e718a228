"""A line to the bus: one socket with its endpoints and all that watches over it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backends.zeromq.descriptor import Descriptor, keep_alive
from backends.zeromq.monitor import Monitor
from backends.zeromq.notices import Notices
from backends.zeromq.revival import Revival
from backends.zeromq.security import Security
from backends.zeromq.settings import Config
from backends.zeromq.sockets import Context, bind, connect, make
from hub.interfaces import BackendContext


class Line:
    """The SUB socket, or the PUB socket, of a backend.

    :param drain: reads the socket; ``None`` where there is nothing to read, as from PUB.
    """

    COUNTS = ("peers", "disconnects", "handshake_failures", "accept_failures", "revivals")

    def __init__(self, context: Context, kind: int, config: Config, hub: BackendContext, notices: Notices) -> None:
        self.socket = make(context, kind, config)
        self._bound: dict[str, list[str]] = {}
        self._connects: Sequence[str] = ()
        self._config = config
        self._hub = hub
        self._monitor = Monitor(self.socket, notices.say, self._changed)
        self._revival = Revival(hub.reactor, self.socket, self._monitor, config)
        self._descriptors: list[Descriptor] = []

    def open(
        self, binds: Sequence[str], connects: Sequence[str], security: Security, drain: Callable[[], bool] | None = None
    ) -> None:
        """Bind and connect. :raises Unavailable: an endpoint can't be bound."""
        self._connects = connects
        self._monitor.watch(connects)
        # Options are copied when an endpoint is made, so one socket can be server to some peers and client to others.
        if binds:
            security.serve(self.socket)
        for endpoint in binds:
            self._bound[endpoint] = bind(self.socket, endpoint, self._config)
        if connects:
            security.join(self.socket)
        for endpoint in connects:
            connect(self.socket, endpoint, self._config)
        self._descriptors = [
            Descriptor(self._hub.reactor, self.socket, drain or keep_alive(self.socket), self._hub.log),
            Descriptor(self._hub.reactor, self._monitor.socket, self._monitor.drain, self._hub.log),
        ]
        for descriptor in self._descriptors:
            descriptor.start()

    def _changed(self) -> None:
        self._revival.look(self._connects)
        self.wake()

    def wake(self) -> None:
        """To be called after every use of the socket, see :class:`~backends.zeromq.descriptor.Descriptor`."""
        for descriptor in self._descriptors[:1]:
            descriptor.wake()

    def endpoints(self, role: str) -> list[dict[str, Any]]:
        """For the status: each endpoint with its state and the number of its peers."""
        rows: list[dict[str, Any]] = []
        for configured, real in self._bound.items():
            for endpoint in real:
                rows.append({"endpoint": endpoint, "configured": configured, "role": role, "state": "listening"})
                rows[-1]["peers"] = self._monitor.peers(endpoint)
        for endpoint in self._connects:
            peers = self._monitor.peers(endpoint)
            state = "connected" if peers else "connecting"
            rows.append({"endpoint": endpoint, "configured": endpoint, "role": role, "state": state, "peers": peers})
        return rows

    def counts(self) -> dict[str, int]:
        """For the status: what happened to its connections."""
        monitor = self._monitor
        numbers = (
            monitor.all_peers,
            monitor.disconnects,
            monitor.handshake_failures,
            monitor.accept_failures,
            self._revival.count,
        )
        return dict(zip(self.COUNTS, numbers, strict=True))

    def close(self) -> None:
        """Close the socket; what was sent and is not out yet has its linger when the context ends."""
        self._revival.stop()
        for descriptor in self._descriptors:
            descriptor.stop()
        self._monitor.close()
        self.socket.close()
