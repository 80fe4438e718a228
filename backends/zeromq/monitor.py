"""Monitor of a socket's connections: turns ZeroMQ's monitor events into counters, states and log lines."""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable

import zmq

from hub.backends.zeromq.frames import Notice
from hub.backends.zeromq.sockets import Socket

_FAILED = {
    int(zmq.Event.HANDSHAKE_FAILED_AUTH): "refused: not allowed",
    int(zmq.Event.HANDSHAKE_FAILED_PROTOCOL): "failed: no ZeroMQ, or a wrong key",
    int(zmq.Event.HANDSHAKE_FAILED_NO_DETAIL): "failed: the peer hung up",
}
_OPENED = {int(zmq.Event.CONNECTED), int(zmq.Event.ACCEPTED)}
_HEAD = struct.Struct("=Hi")
"""Event number and value, as in the first frame of a monitor message."""
EVENTS = (
    zmq.Event.CONNECTED
    | zmq.Event.ACCEPTED
    | zmq.Event.ACCEPT_FAILED
    | zmq.Event.DISCONNECTED
    | zmq.Event.HANDSHAKE_SUCCEEDED
    | zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
)
"""Events of interest; not those of failed attempts: with hundreds of dead endpoints there are thousands a second, and
each would wake the reactor."""
_BUDGET = 200
_HELD = 2000
"""Events that ZeroMQ buffers at most; then its thread blocks."""


class _Connections:
    """Connections of one endpoint, by descriptor.

    The event of a handshake does not name its connection. While several are opening, their outcomes are therefore
    counted, until all of them have one. A failed handshake's connection is closed next.
    """

    def __init__(self) -> None:
        self._opening: set[int] = set()
        self._established: set[int] = set()
        self._succeeded = self._failed = 0

    def opened(self, descriptor: int) -> None:
        """Add a connection whose handshake begins."""
        self._opening.add(descriptor)

    def succeeded(self) -> None:
        """Count a handshake that succeeded."""
        self._succeeded += self._awaited()
        self._settle()

    def failed(self) -> None:
        """Count a handshake that failed."""
        self._failed += self._awaited()

    def closed(self, descriptor: int) -> bool:
        """Remove a connection. :returns: whether it was an established one."""
        if descriptor in self._established:
            self._established.remove(descriptor)
            return True
        if descriptor not in self._opening:
            return False
        self._opening.remove(descriptor)
        established = False
        if self._failed:
            self._failed -= 1
        elif self._succeeded:
            self._succeeded -= 1
            established = True
        self._settle()
        return established

    def _awaited(self) -> bool:
        return len(self._opening) > self._succeeded + self._failed

    def _settle(self) -> None:
        if not self._failed and self._succeeded == len(self._opening):
            self._succeeded = 0
            self._established |= self._opening
            self._opening.clear()

    @property
    def open(self) -> bool:
        """True if there is one, established or not yet."""
        return bool(self._opening or self._established)

    def __len__(self) -> int:
        return len(self._established) + self._succeeded


class Monitor:
    """Monitor of one socket.

    :ivar handshake_failures: handshakes that failed, on either side.
    :ivar accept_failures: failed accepts, as when file descriptors run out; many for one connection, for ZeroMQ
        retries without a pause.
    :ivar accepts_none: whether the last drain saw a failed accept.
    :ivar lost: endpoints that we connect to, whose connection was lost and is not established again.
    :param changed: called after each drain that saw an event.
    """

    def __init__(self, socket: Socket, notice: Notice, changed: Callable[[], None]) -> None:
        self.socket = socket.get_monitor_socket(EVENTS)
        self.disconnects = self.handshake_failures = self.accept_failures = 0
        self.accepts_none = False
        self._watched = socket
        self._connects: set[str] = set()
        self._forgotten: set[str] = set()
        self._notice = notice
        self._changed = changed
        self.lost: set[str] = set()
        self._connections: dict[str, _Connections] = {}

    def watch(self, endpoint: str, *, connects: bool) -> None:
        """Add an endpoint, before the socket connects to it, or after it is bound."""
        if connects:
            self._connects.add(endpoint)
        self._forgotten.discard(self._key(endpoint))

    def forget(self, endpoint: str) -> None:
        """Remove an endpoint that the socket has disconnected or unbound. ZeroMQ sends no events of the closing of its
        connections; later events of the endpoint are ignored."""
        for _ in range(_HELD // _BUDGET):
            if not self.drain():
                break
        key = self._key(endpoint)
        self._connects.discard(endpoint)
        self.lost.discard(key)
        self._connections.pop(key, None)
        self._forgotten.add(key)

    def peers(self, endpoint: str) -> int:
        """Number of established connections of an endpoint, given as configured or as bound."""
        return len(self._connections.get(self._key(endpoint), ()))

    def is_open(self, endpoint: str) -> bool:
        """Tell whether an endpoint has a connection, perhaps one whose handshake goes on."""
        found = self._connections.get(self._key(endpoint))
        return found is not None and found.open

    @property
    def all_peers(self) -> int:
        """Number of established connections."""
        return sum(map(len, self._connections.values()))

    def drain(self) -> bool:
        """Read the waiting events. :returns: whether there may be more."""
        self.accepts_none = False
        try:
            for _ in range(_BUDGET):
                head, endpoint = self.socket.recv_multipart(zmq.NOBLOCK)
                event, value = _HEAD.unpack(head)
                self.note(event, value, endpoint.decode(errors="replace"))
        except zmq.Again:
            self._changed()
            return False
        return True

    def note(self, event: int, value: int, endpoint: str) -> None:
        """Handle one event. :param value: depends on the event: a descriptor, an error number, a delay."""
        key = self._key(endpoint)
        if key in self._forgotten or endpoint in self._forgotten:
            return
        if event in _OPENED:
            self.lost.discard(key)
            self._of(key).opened(value)
        elif event == zmq.Event.HANDSHAKE_SUCCEEDED:
            self._of(key).succeeded()
            self._notice(f"connect {key}", logging.INFO, f"connected: {endpoint!a}")
        elif event in _FAILED:
            self.handshake_failures += 1
            self._of(key).failed()
            self._notice(f"handshake {event}", logging.WARNING, f"handshake {_FAILED[event]}: {endpoint!a}")
        elif event == zmq.Event.ACCEPT_FAILED:
            self.accept_failures += 1
            self.accepts_none = True
            text = f"a connection can't be accepted: {os.strerror(value)}: {endpoint!a}"
            self._notice("accept", logging.ERROR, text)
        elif event == zmq.Event.DISCONNECTED:
            self._disconnected(key, value, endpoint)

    def _disconnected(self, key: str, descriptor: int, endpoint: str) -> None:
        if key in self._connects:
            self.lost.add(key)
        if self._of(key).closed(descriptor):
            self.disconnects += 1
            # A peer that connected to us may leave when it is done; one that we connected to is missed.
            level = logging.WARNING if key in self._connects else logging.INFO
            self._notice(f"disconnect {key}", level, f"disconnected: {endpoint!a}")

    def _of(self, key: str) -> _Connections:
        return self._connections.setdefault(key, _Connections())

    def _key(self, endpoint: str) -> str:
        """Key of an endpoint: for a bound one its port, for events name the address that the peer connected to."""
        if endpoint in self._connects or not endpoint.startswith("tcp://"):
            return endpoint
        return endpoint.rpartition(":")[2]

    def close(self) -> None:
        """Stop monitoring. Not while connections can't be accepted: ZeroMQ's thread sends such events without end, and
        a deadlock would follow: we wait for that thread, and it waits for us to read."""
        self._watched.disable_monitor()
        self.socket.close(linger=0)
