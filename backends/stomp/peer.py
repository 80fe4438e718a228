"""The client at the other end of a connection: its name, whether it is on this machine, whether it is still there."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from twisted.internet.address import UNIXAddress

from hub import unixsocket

KEEPALIVE_IDLE, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 60, 15, 4
"""Seconds of silence before the first probe, and between probes; unanswered probes after which the client is gone."""
UNACKNOWLEDGED = (KEEPALIVE_IDLE + KEEPALIVE_INTERVAL * KEEPALIVE_COUNT) * 1000
"""Milliseconds after which sent data must be acknowledged by the client's kernel, which no probe asks for."""


def peer_name(transport: Any) -> str:
    """Return address and port, or the user and process behind a Unix socket."""
    address = transport.getPeer()
    if isinstance(address, UNIXAddress):
        return unixsocket.peer(transport)
    return f"[{address.host}]:{address.port}" if ":" in address.host else f"{address.host}:{address.port}"


def counted_address(address: Any) -> str | None:
    """Return the address by which a client's connections are counted; ``None``: it is behind a Unix socket.

    Who has an IPv6 address has a network of 64 bits.
    """
    host = getattr(address, "host", None)
    if host is None:
        return None
    ip = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str((ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip)


def is_loopback(transport: Any) -> bool:
    """True if the client is on this machine."""
    address = transport.getPeer()
    if isinstance(address, UNIXAddress):
        return True
    ip = ipaddress.ip_address(address.host.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def release(transport: Any) -> None:
    """Free what a transport with TLS, whose connection is lost, has not sent.

    Twisted leaves the transport itself, which is small then, to the garbage collector: its layer of TLS and the
    traceback of the error that ended it know each other.
    """
    transport.dataBuffer, transport._tempDataBuffer = b"", []


def watch(transport: Any) -> None:
    """Let the kernel find out that a client is gone, also one that wants no beats; send small frames at once."""
    if isinstance(transport.getPeer(), UNIXAddress):
        return
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    handle: socket.socket = transport.getHandle()
    for option, value in (
        (socket.TCP_KEEPIDLE, KEEPALIVE_IDLE),
        (socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL),
        (socket.TCP_KEEPCNT, KEEPALIVE_COUNT),
        (socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED),
    ):
        handle.setsockopt(socket.IPPROTO_TCP, option, value)
