"""Socket file descriptors of ZeroMQ's connections, which a forked child of the hub inherits and must close."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hub.backends.zeromq.endpoints import Endpoint

OWN = "/proc/self/fd"


def socket_fds(bound: Iterable[str], connected: Iterable[str]) -> Iterator[int]:
    """File descriptors of sockets that listen at, were accepted by, or are connected to one of these endpoints.

    libzmq does not tell its own descriptors, so they are recognised by port, or by path.

    :param bound: endpoints as they are bound, with their real ports.
    """
    local, remote = set(map(_place, bound)), set(map(_place, connected))
    for descriptor in _sockets():
        ours, theirs = _places(descriptor)
        if ours in local or theirs in remote:
            yield descriptor


def _place(text: str) -> str:
    endpoint = Endpoint.parse(text)
    return endpoint.host if endpoint.transport == "ipc" else endpoint.port


def _sockets() -> list[int]:
    found = []
    try:
        descriptors = [int(name) for name in os.listdir(OWN)]
    except OSError:  # no /proc
        return []
    for descriptor in descriptors:
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                found.append(descriptor)
        except OSError:  # the descriptor of the listing itself, closed by now
            continue
    return found


def _places(descriptor: int) -> tuple[str | None, str | None]:
    """Port or path of a socket's own end and of its peer's; ``None`` where there is none."""
    try:
        found = socket.socket(fileno=descriptor)
    except OSError:
        return None, None
    try:
        return _told(found.getsockname), _told(found.getpeername)
    finally:
        found.detach()


def _told(ask: Callable[[], Any]) -> str | None:
    try:
        address = ask()
    except OSError:  # the socket has no such end
        return None
    if isinstance(address, tuple):
        return str(address[1]) if len(address) in (2, 4) else None
    if isinstance(address, bytes):  # an abstract Unix socket, which has no file
        return "@" + address.decode(errors="replace").lstrip("\0")
    return str(address) or None
