"""What happens to a socket's connections: ZeroMQ's monitor events, as counts, states and log lines."""

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
"""An event's number and value, as ZeroMQ writes them into its first frame."""
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
"""Not those of an attempt that fails: with hundreds of endpoints where nobody is, thousands of them come each second,
and each would wake the reactor."""
_BUDGET = 200
_HELD = 2000
"""Events that ZeroMQ holds for us at most; then its thread waits."""


class Monitor:
    """Follows one socket.

    :ivar handshake_failures: connections that did not come about, by either side's doing.
    :ivar accept_failures: times that a connection could not be taken, as when descriptors run out: many of one, for
        ZeroMQ tries again as fast as it can tell.
    :ivar accepts_none: whether the last drain saw one.
    :ivar lost: endpoints that we connect to, whose connection ended and has not come about again.
    :param changed: called after each drain in which something happened.
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
        # A handshake's success does not say whose it was, so it is taken to be the longest waiting connection's.
        self._opening: dict[str, list[int]] = {}
        self._open: dict[str, list[int]] = {}

    def watch(self, endpoint: str, *, connects: bool) -> None:
        """One more: the socket is about to connect to it, or is bound to it."""
        if connects:
            self._connects.add(endpoint)
        self._forgotten.discard(self._key(endpoint))

    def forget(self, endpoint: str) -> None:
        """The socket has let go of it, so its connections are none any more; ZeroMQ tells of no end of theirs. What its
        thread has told meanwhile, or tells yet, is of no interest."""
        for _ in range(_HELD // _BUDGET):
            if not self.drain():
                break
        key = self._key(endpoint)
        self._connects.discard(endpoint)
        self.lost.discard(key)
        self._opening.pop(key, None)
        self._open.pop(key, None)
        self._forgotten.add(key)

    def peers(self, endpoint: str) -> int:
        """Connections of an endpoint that have come about; the endpoint as configured, or as bound."""
        return len(self._open.get(self._key(endpoint), ()))

    @property
    def all_peers(self) -> int:
        """Connections that have come about."""
        return sum(map(len, self._open.values()))

    def drain(self) -> bool:
        """Take in what happened. Returns whether there may be more."""
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
        """One event. ``value`` is what ZeroMQ says it is for that event: a descriptor, an error, a delay."""
        key = self._key(endpoint)
        if key in self._forgotten or endpoint in self._forgotten:
            return
        if event in _OPENED:
            self.lost.discard(key)
            self._opening.setdefault(key, []).append(value)
        elif event == zmq.Event.HANDSHAKE_SUCCEEDED:
            waiting = self._opening.get(key)
            self._open.setdefault(key, []).append(waiting.pop(0) if waiting else -1)
            self._notice(f"connect {key}", logging.INFO, f"connected: {endpoint!a}")
        elif event in _FAILED:
            self.handshake_failures += 1
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
        for connections in (self._opening.get(key, []), self._open.get(key, [])):
            if descriptor in connections:
                connections.remove(descriptor)
                break
        else:
            return
        if connections is self._open.get(key):
            self.disconnects += 1
            # Who came to us may leave when it is done; whom we went to is missed.
            level = logging.WARNING if key in self._connects else logging.INFO
            self._notice(f"disconnect {key}", level, f"disconnected: {endpoint!a}")

    def _key(self, endpoint: str) -> str:
        """Events of a bound endpoint name the address that the peer came to, so these go by the port."""
        if endpoint in self._connects or not endpoint.startswith("tcp://"):
            return endpoint
        return endpoint.rpartition(":")[2]

    def close(self) -> None:
        """Stop following. Not while connections can't be accepted: ZeroMQ's thread, which has no end of that to tell,
        would have us wait for it, and itself for us to read."""
        self._watched.disable_monitor()
        self.socket.close(linger=0)
