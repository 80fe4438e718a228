"""Real sockets on loopback that exporters send to."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.interfaces import ExporterContext

LOOPBACK = "127.0.0.1"


@contextmanager
def udp_socket(port: int = 0) -> Iterator[socket.socket]:
    """One that datagrams can be sent to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind((LOOPBACK, port))
        receiver.settimeout(10)
        yield receiver


def received(receiver: socket.socket) -> list[bytes]:
    """All datagrams that are there; on loopback they are there as soon as they were sent. The longest is seen whole."""
    found = [receiver.recv(65_536)]
    receiver.setblocking(False)
    try:
        while True:
            found.append(receiver.recv(65_536))
    except BlockingIOError:
        receiver.settimeout(10)
        return found


@contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    """One that can be connected to."""
    with socket.create_server((LOOPBACK, port)) as server:
        server.settimeout(10)
        yield server


def accepted(server: socket.socket) -> socket.socket:
    """The next connection."""
    connection, _ = server.accept()
    connection.settimeout(10)
    return connection


def context(exporter: Any, **settings: Any) -> ExporterContext:
    """What an exporter is made with."""
    log = logging.LoggerAdapter(logging.getLogger("test"), {})
    return ExporterContext("test", exporter.Config(**settings), 10.0, log)
