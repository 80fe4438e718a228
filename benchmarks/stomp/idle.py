"""Memory that idle connections take, and the time from a server's start to its first message."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from benchmarks.processes import resident_bytes
from benchmarks.stomp.connection import PATIENCE, Connection, Publisher, Subscriber
from benchmarks.stomp.scenario import SIZE
from benchmarks.workload import body

CONNECTIONS = 1000
SETTLING = 3.0
"""Seconds until memory is read."""


@dataclass(frozen=True)
class Memory:
    """Resident bytes of a server: alone, with idle connections, and once each of them has subscribed to a topic."""

    alone: int
    connected: int
    subscribed: int


def first_message(port: int) -> None:
    """Send a message to a topic, and wait for it. :raises RuntimeError: it does not come."""
    with ExitStack() as stack:
        subscriber = Subscriber(port, "/topic/first", "auto")
        publisher = Publisher(port, "/topic/first", False, body(SIZE))
        for one in (subscriber, publisher):
            stack.callback(one.socket.close)
        publisher.publish(1, False)
        deadline = time.monotonic() + PATIENCE
        subscriber.socket.settimeout(PATIENCE)
        while not subscriber.received:
            subscriber.read()
            if time.monotonic() > deadline:
                raise RuntimeError("the first message does not come")


def memory(port: int, pids: Callable[[], list[int]]) -> Memory:
    """Measure idle connections. :param pids: returns the server's processes. :raises RuntimeError: one is refused."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    alone = _resident(pids)
    with ExitStack() as stack:
        connections = []
        for _ in range(CONNECTIONS):
            connections.append(Connection(port))
            stack.callback(connections[-1].socket.close)
        connected = _resident(pids)
        for number, one in enumerate(connections):
            one.ask(f"SUBSCRIBE\nid:0\ndestination:/topic/idle.{number}\nreceipt:0\n\n\0".encode(), b"RECEIPT")
        return Memory(alone, connected, _resident(pids))


def _resident(pids: Callable[[], list[int]]) -> int:
    time.sleep(SETTLING)
    size = 0
    for pid in pids():
        with suppress(FileNotFoundError, ProcessLookupError):  # a helper that a server runs now and then has ended
            size += resident_bytes(pid)
    return size
