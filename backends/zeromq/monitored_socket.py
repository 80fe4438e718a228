"""Monitored socket: one ZeroMQ socket with its endpoints, its monitor and its reconnects."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import zmq

from hub.backends.log_throttle import LogThrottle
from hub.backends.zeromq.descriptor import Descriptor
from hub.backends.zeromq.monitor import Monitor
from hub.backends.zeromq.reconnect import Reconnect
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.settings import Config
from hub.backends.zeromq.sockets import Context, await_closed, bind, connect, make
from hub.interfaces import BackendContext

PACE = 0.02
"""Seconds between two reads of the monitor while connections can't be accepted for lack of file descriptors.
ZeroMQ retries without a pause, at the cost of a whole processor; but it waits until its event is read each time."""
LIMIT = 1.0
"""Seconds spent at most on reading waiting messages before an endpoint is disconnected: other publishers may never let
the socket run empty."""


class MonitoredSocket:
    """SUB socket of a backend, or one of its PUB sockets. Endpoints can be added and removed while it is open."""

    COUNTS = ("peers", "disconnects", "handshake_failures", "accept_failures", "revivals")

    def __init__(
        self,
        context: Context,
        kind: int,
        config: Config,
        security: Security,
        hub: BackendContext,
        log_throttle: LogThrottle,
    ) -> None:
        self.socket = make(context, kind, config)
        self._bound: dict[str, list[str]] = {}
        self._unbound: list[tuple[str, str]] = []
        self._connects: list[str] = []
        # Endpoints to disconnect once what has arrived is read; True: to be connected again after that.
        self._leaving: dict[str, bool] = {}
        self._leave_by: float | None = None
        self._revivals = 0
        self._config = config
        self._security = security
        self._hub = hub
        self._monitor = Monitor(self.socket, log_throttle.say, self._changed)
        self._revival = Reconnect(hub.reactor, self._monitor, config, self._connect_again)
        self._descriptors: list[Descriptor] = []

    def start(self, drain: Callable[[], bool] | None = None) -> None:
        """Watch the socket and its monitor. :param drain: reads the socket; ``None`` for a PUB socket."""
        self._descriptors = [
            Descriptor(self._hub.reactor, self.socket, drain or self._attend, self._hub.log),
            Descriptor(self._hub.reactor, self._monitor.socket, self._follow, self._hub.log),
        ]
        for descriptor in self._descriptors:
            descriptor.start()

    def _attend(self) -> bool:
        """Let ZeroMQ process subscriptions and new connections."""
        self.socket.get(zmq.EVENTS)
        self.disconnect_leaving(more=False)
        return False

    def _follow(self) -> bool:
        """Read the monitor's events."""
        more = self._monitor.drain()
        if self._monitor.accepts_none:
            self._descriptors[1].wake(PACE)
            return False
        return more

    def _changed(self) -> None:
        self._revival.look(self._connects)
        self.wake()

    def wake(self) -> None:
        """Schedule a read. Call it after every use of the socket; see
        :class:`~hub.backends.zeromq.descriptor.Descriptor`."""
        for descriptor in self._descriptors[:1]:
            descriptor.wake()

    # -- endpoints. Options are copied when one is made, so one socket can be server to some peers and client to others.

    def bind(self, endpoint: str, at: str | None = None) -> None:
        """Bind the endpoint.

        :param at: the address that it was bound to before, if the system chose the port, or a name has several.

        :raises Unavailable: it can't be bound; nothing was changed.
        """
        self._security.serve(self.socket)
        real = bind(self.socket, at or endpoint, self._config)
        for one in real:
            self._monitor.watch(one, connects=False)
        self._bound.setdefault(endpoint, []).extend(real)
        self.wake()

    def unbind(self, endpoint: str) -> None:
        """Unbind the endpoint and disconnect its peers, after reading what has arrived from them.

        Not for a PUB socket; see :class:`~hub.backends.zeromq.publish_sockets.PublishSockets`.
        """
        real = self._bound.pop(endpoint)
        for one in real:
            self.socket.unbind(one)
        await_closed(real)
        for one in real:
            self._monitor.forget(one)
        self.wake()

    def rebind(self) -> None:
        """Disconnect the peers of all bound endpoints; they can connect again. Not for a PUB socket, as ``unbind``.

        :raises Unavailable: an address can't be bound again. The next call retries it.
        """
        for endpoint, real in list(self._bound.items()):
            self.unbind(endpoint)
            self._unbound += [(endpoint, at) for at in real]
        while self._unbound:
            self.bind(*self._unbound[0])
            del self._unbound[0]

    def bound(self) -> list[tuple[str, str]]:
        """Bound endpoints, each as configured and as really bound."""
        return [(endpoint, at) for endpoint, real in self._bound.items() for at in real]

    def connect(self, endpoint: str) -> None:
        """Connect now, or as soon as the peer is there."""
        self._connects.append(endpoint)
        if self._leaving.pop(endpoint, None) is None:
            self._connect(endpoint)
        self.wake()

    def _connect(self, endpoint: str) -> None:
        self._security.join(self.socket)
        self._monitor.watch(endpoint, connects=True)
        connect(self.socket, endpoint, self._config)

    def disconnect(self, endpoint: str) -> None:
        """Disconnect after reading what has arrived."""
        self._connects.remove(endpoint)
        self._leaving[endpoint] = False
        self.wake()

    def _connect_again(self, endpoint: str) -> None:
        self._leaving[endpoint] = True
        self.wake()

    def disconnect_leaving(self, *, more: bool) -> None:
        """Disconnect the endpoints that are to be removed. Call it right after reading, and only then.

        ZeroMQ drops what has arrived by a connection that it is told to close. And once it was asked whether there is
        something to read, it holds the first frame of a message; libzmq 4.3.5 ends the process if that message's
        connection is closed then.

        :param more: whether there may be more to read.
        """
        if not self._leaving:
            return
        now = self._hub.reactor.seconds()
        if self._leave_by is None:
            self._leave_by = now + LIMIT
        if more and now < self._leave_by:
            return
        leaving, self._leaving, self._leave_by = self._leaving, {}, None
        self._monitor.drain()  # ZeroMQ may have connected again meanwhile, and the peer have sent something
        for endpoint, again in leaving.items():
            if again and self._monitor.is_open(endpoint):
                continue
            with contextlib.suppress(zmq.ZMQError):  # where ZeroMQ has forgotten the endpoint already
                self.socket.disconnect(endpoint)
            if again:
                self._revivals += 1
                self._connect(endpoint)
            else:
                self._monitor.forget(endpoint)
        self.wake()

    def leave(self) -> tuple[list[str], list[str]]:
        """Disconnect all endpoints now. Call it right after reading, as :meth:`disconnect_leaving`.

        :returns: the endpoints that were bound, and those that were connected to; see :meth:`come_back`.
        """
        bound, connects = list(self._bound), list(self._connects)
        for endpoint in bound:
            self.unbind(endpoint)
        for endpoint in connects:
            self.disconnect(endpoint)
        self.disconnect_leaving(more=False)
        return bound, connects

    def come_back(self, bound: list[str], connects: list[str]) -> None:
        """Undo :meth:`leave`; endpoints are removed from the lists as they are opened again.

        :raises Unavailable: one can't be bound now.
        """
        while connects:
            self.connect(connects.pop())
        while bound:
            self.bind(bound[-1])
            bound.pop()

    # -- status

    def endpoints(self, role: str) -> list[dict[str, Any]]:
        """Status rows: each endpoint with its state and the number of its peers."""
        bound = [(one, configured, "listening") for configured, real in self._bound.items() for one in real]
        leaving = [(one, one, "leaving") for one, again in self._leaving.items() if not again]
        rows = []
        for one, configured, state in [*bound, *((one, one, "") for one in self._connects), *leaving]:
            peers = self._monitor.peers(one)
            state = state or ("connected" if peers else "connecting")
            rows.append({"endpoint": one, "configured": configured, "role": role, "state": state, "peers": peers})
        return rows

    def counts(self) -> dict[str, int]:
        """Status counters of this socket's connections, by name; see ``COUNTS``."""
        monitor = self._monitor
        numbers = (
            monitor.all_peers,
            monitor.disconnects,
            monitor.handshake_failures,
            monitor.accept_failures,
            self._revivals,
        )
        return dict(zip(self.COUNTS, numbers, strict=True))

    def close(self) -> None:
        """Close the socket. Unsent messages have their linger, until the context ends at the latest.

        Not while connections can't be accepted: then bound endpoints close at once; see :meth:`Monitor.close`.
        """
        for descriptor in self._descriptors:
            descriptor.stop()
        self._descriptors = []
        self._monitor.drain()
        for endpoint in list(self._bound) if self._monitor.accepts_none else ():
            self.unbind(endpoint)
        self._revival.stop()
        self._monitor.close()
        self.socket.close()
