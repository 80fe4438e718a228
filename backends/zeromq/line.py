"""A line to the bus: one socket with its endpoints and all that watches over it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import zmq

from hub.backends.zeromq.descriptor import Descriptor
from hub.backends.zeromq.monitor import Monitor
from hub.backends.zeromq.notices import Notices
from hub.backends.zeromq.revival import Revival
from hub.backends.zeromq.security import Security
from hub.backends.zeromq.settings import Config
from hub.backends.zeromq.sockets import Context, await_closed, bind, connect, make
from hub.interfaces import BackendContext

PACE = 0.02
"""Seconds between two looks at what happens to the connections, while some can't be accepted: there are no descriptors.
ZeroMQ tries again without end, and takes a whole processor for it; but it waits to be heard each time."""
LIMIT = 1.0
"""Seconds spent on what has arrived when an endpoint is let go, at most: other publishers may never let the socket run
empty."""


class Line:
    """The SUB socket of a backend, or one of its PUB sockets. Endpoints may come and go while it is open."""

    COUNTS = ("peers", "disconnects", "handshake_failures", "accept_failures", "revivals")

    def __init__(
        self, context: Context, kind: int, config: Config, security: Security, hub: BackendContext, notices: Notices
    ) -> None:
        self.socket = make(context, kind, config)
        self._bound: dict[str, list[str]] = {}
        self._unbound: list[tuple[str, str]] = []
        self._connects: list[str] = []
        # Endpoints to be let go once what has arrived is read, and whether they are connected to again then.
        self._leaving: dict[str, bool] = {}
        self._leave_by: float | None = None
        self._config = config
        self._security = security
        self._hub = hub
        self._monitor = Monitor(self.socket, notices.say, self._changed)
        self._revival = Revival(hub.reactor, self._monitor, config, self._connect_again)
        self._descriptors: list[Descriptor] = []

    def start(self, drain: Callable[[], bool] | None = None) -> None:
        """Attend to it. :param drain: reads the socket; ``None`` where there is nothing to read, as from PUB."""
        self._descriptors = [
            Descriptor(self._hub.reactor, self.socket, drain or self._attend, self._hub.log),
            Descriptor(self._hub.reactor, self._monitor.socket, self._follow, self._hub.log),
        ]
        for descriptor in self._descriptors:
            descriptor.start()

    def _attend(self) -> bool:
        """Let ZeroMQ take in subscriptions and new connections."""
        self.socket.get(zmq.EVENTS)
        self.let_go(more=False)
        return False

    def _follow(self) -> bool:
        """Take in what happened to the connections."""
        more = self._monitor.drain()
        if self._monitor.accepts_none:
            self._descriptors[1].wake(PACE)
            return False
        return more

    def _changed(self) -> None:
        self._revival.look(self._connects)
        self.wake()

    def wake(self) -> None:
        """To be called after every use of the socket, see :class:`~hub.backends.zeromq.descriptor.Descriptor`."""
        for descriptor in self._descriptors[:1]:
            descriptor.wake()

    # -- endpoints. Options are copied when one is made, so one socket can be server to some peers and client to others.

    def bind(self, endpoint: str, at: str | None = None) -> None:
        """:param at: where it was bound before, if the system chose the port, or one of several addresses of a name.

        :raises Unavailable: it can't be bound; nothing has changed then.
        """
        self._security.serve(self.socket)
        real = bind(self.socket, at or endpoint, self._config)
        for one in real:
            self._monitor.watch(one, connects=False)
        self._bound.setdefault(endpoint, []).extend(real)
        self.wake()

    def unbind(self, endpoint: str) -> None:
        """Not of a PUB socket, see :class:`~hub.backends.zeromq.outlets.Outlets`. Peers that came by it are cut off;
        what has arrived from them is still read."""
        real = self._bound.pop(endpoint)
        for one in real:
            self.socket.unbind(one)
        await_closed(real)
        for one in real:
            self._monitor.forget(one)
        self.wake()

    def rebind(self) -> None:
        """Cut off the peers that came by what is bound here; they may come again. Not of a PUB socket, as ``unbind``.

        :raises Unavailable: an address can't be bound again. The next call tries it again.
        """
        for endpoint, real in list(self._bound.items()):
            self.unbind(endpoint)
            self._unbound += [(endpoint, at) for at in real]
        while self._unbound:
            self.bind(*self._unbound[0])
            del self._unbound[0]

    def bound(self) -> list[tuple[str, str]]:
        """What is bound: as it is configured, and where."""
        return [(endpoint, at) for endpoint, real in self._bound.items() for at in real]

    def connect(self, endpoint: str) -> None:
        """Now, or as soon as the peer is there."""
        self._connects.append(endpoint)
        if self._leaving.pop(endpoint, None) is None:
            self._connect(endpoint)
        self.wake()

    def _connect(self, endpoint: str) -> None:
        self._security.join(self.socket)
        self._monitor.watch(endpoint, connects=True)
        connect(self.socket, endpoint, self._config)

    def disconnect(self, endpoint: str) -> None:
        """Once what has arrived is read."""
        self._connects.remove(endpoint)
        self._leaving[endpoint] = False
        self.wake()

    def _connect_again(self, endpoint: str) -> None:
        self._leaving[endpoint] = True
        self.wake()

    def let_go(self, *, more: bool) -> None:
        """Disconnect what is to leave. To be called right after reading, and only then: ZeroMQ drops what has arrived
        by a connection that it is told to end. And once it was asked whether there is something to read, it has the
        first frame of a message in hand; libzmq 4.3.5 ends the process if that message's connection is ended then.

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
        for endpoint, again in leaving.items():
            with contextlib.suppress(zmq.ZMQError):  # where ZeroMQ has forgotten the endpoint already
                self.socket.disconnect(endpoint)
            if again:
                self._connect(endpoint)
            else:
                self._monitor.forget(endpoint)
        self.wake()

    def leave(self) -> tuple[list[str], list[str]]:
        """Let go of all endpoints now. To be called right after reading, as :meth:`let_go`.

        :returns: what was bound, and what was connected to; see :meth:`come_back`.
        """
        bound, connects = list(self._bound), list(self._connects)
        for endpoint in bound:
            self.unbind(endpoint)
        for endpoint in connects:
            self.disconnect(endpoint)
        self.let_go(more=False)
        return bound, connects

    def come_back(self, bound: list[str], connects: list[str]) -> None:
        """Undo :meth:`leave`; what was done is taken from the lists. :raises Unavailable: one can't be bound now."""
        while connects:
            self.connect(connects.pop())
        while bound:
            self.bind(bound[-1])
            bound.pop()

    # -- status

    def endpoints(self, role: str) -> list[dict[str, Any]]:
        """For the status: each endpoint with its state and the number of its peers."""
        bound = [(one, configured, "listening") for configured, real in self._bound.items() for one in real]
        leaving = [(one, one, "leaving") for one, again in self._leaving.items() if not again]
        rows = []
        for one, configured, state in [*bound, *((one, one, "") for one in self._connects), *leaving]:
            peers = self._monitor.peers(one)
            state = state or ("connected" if peers else "connecting")
            rows.append({"endpoint": one, "configured": configured, "role": role, "state": state, "peers": peers})
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
        """Close the socket; what was sent and is not out yet has its linger, until the context ends at the latest. Not
        where connections can't be accepted: there what is bound goes at once, see :meth:`Monitor.close`."""
        for descriptor in self._descriptors:
            descriptor.stop()
        self._descriptors = []
        self._monitor.drain()
        for endpoint in list(self._bound) if self._monitor.accepts_none else ():
            self.unbind(endpoint)
        self._revival.stop()
        self._monitor.close()
        self.socket.close()
