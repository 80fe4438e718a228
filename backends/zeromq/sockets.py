"""Sockets of ZeroMQ: created with the configured limits, bound, connected."""

from __future__ import annotations

import errno
import socket as system
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import zmq

from hub import unixsocket
from hub.backends.zeromq.endpoints import Endpoint
from hub.backends.zeromq.settings import Config
from hub.errors import Unavailable
from hub.interfaces import Clock

CLOSE_WAIT = 0.2
"""Seconds to wait at most until ZeroMQ's thread has closed an unbound endpoint; without load it does so at once."""
LOOK_EVERY = 0.001
Socket = zmq.Socket[bytes]
Context = zmq.Context[zmq.Socket[bytes]]


LONGEST_SUBSCRIPTION = 4096
"""Bytes of one subscription to a PUB socket at most: a prefix of a topic of up to 1024 characters. ZeroMQ keeps each
one in memory."""


def make(context: Context, kind: int, config: Config) -> Socket:
    """Create a socket with limits, keepalive and reconnect intervals set; it is neither bound nor connected."""
    socket = context.socket(kind)
    options: dict[int, int] = {
        # ZeroMQ's own choice for SUB: with a linger, an endpoint that is disconnected connects once more to send its
        # subscriptions, and what arrives then is dropped.
        zmq.LINGER: 0 if kind == zmq.SUB else round(config.linger * 1000),
        zmq.RCVHWM: config.receive_high_water,
        zmq.SNDHWM: config.send_high_water,
        zmq.MAXMSGSIZE: LONGEST_SUBSCRIPTION if kind == zmq.PUB else config.max_frame_size,
        zmq.RECONNECT_IVL: round(config.reconnect_interval * 1000),
        zmq.RECONNECT_IVL_MAX: round(config.reconnect_interval_max * 1000),
        zmq.TCP_KEEPALIVE: 1 if config.keepalive_idle else 0,
    }
    if config.keepalive_idle:
        options |= {
            zmq.TCP_KEEPALIVE_IDLE: max(1, round(config.keepalive_idle)),
            zmq.TCP_KEEPALIVE_INTVL: round(config.keepalive_interval),
            zmq.TCP_KEEPALIVE_CNT: config.keepalive_count,
        }
    for option, value in options.items():
        socket.set(option, value)
    return socket


def await_closed(
    endpoints: Iterable[str], monotonic: Clock = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until unbound endpoints are closed, :data:`CLOSE_WAIT` at most: the same reload may bind their addresses
    elsewhere. ZeroMQ's monitor could tell, but only together with each failed attempt to connect, of which there are
    thousands a second if many endpoints are dead.

    :param endpoints: as ZeroMQ reported them when they were bound: with numeric addresses.
    """
    until = monotonic() + CLOSE_WAIT
    for endpoint in map(Endpoint.parse, endpoints):
        while _listens(endpoint) and monotonic() < until:
            sleep(LOOK_EVERY)


def _listens(endpoint: Endpoint) -> bool:
    """True if a socket is bound to the endpoint, as far as can be told without disturbing it."""
    if endpoint.address is None:
        return Path(endpoint.host).exists()
    family = system.AF_INET6 if endpoint.address.version == 6 else system.AF_INET
    with system.socket(family, system.SOCK_STREAM) as probe:
        probe.setsockopt(system.SOL_SOCKET, system.SO_REUSEADDR, 1)  # as ZeroMQ does: old connections do not matter
        try:
            probe.bind((endpoint.host, int(endpoint.port)))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def connect(socket: Socket, text: str, config: Config) -> None:
    """Connect now, or as soon as the peer is there. ZeroMQ resolves names in its own thread, at each attempt."""
    socket.set(zmq.IPV6, _by_ipv6(Endpoint.parse(text), config.ip))
    socket.connect(text)


def _by_ipv6(endpoint: Endpoint, ip: str) -> int:
    """Value of the IPV6 option. With 1, ZeroMQ uses a name's first IPv6 address, or its IPv4 address if it has none.

    It never tries a second address, so ``localhost`` uses IPv4, where nearly all local servers listen.
    """
    if endpoint.address is not None:
        return int(endpoint.address.version == 6)
    return int(ip == "6" or (ip == "auto" and endpoint.host != "localhost"))


def bind(socket: Socket, text: str, config: Config) -> list[str]:
    """Bind to every address of a host name. :returns: the real endpoints, with numeric addresses and ports.

    :raises Unavailable: the address is in use, not this machine's, or not allowed. Nothing is bound.
    """
    real: list[str] = []
    try:
        _bind_all(socket, text, config, real)
    except Unavailable:
        for done in real:
            socket.unbind(done)
        raise
    return real


def _bind_all(socket: Socket, text: str, config: Config, real: list[str]) -> None:
    """Bind to every address. :param real: the endpoints that were bound are appended to it."""
    endpoint = Endpoint.parse(text)
    failure: zmq.ZMQError | None = None
    for candidate in _addresses(endpoint, config.ip):
        try:
            real.append(_bind(socket, candidate, config, int(real[0].rpartition(":")[2]) if real else None))
        except OSError as error:  # zmq.ZMQError is none
            raise Unavailable(f"{text} can't be bound: {error.strerror}") from error
        except zmq.ZMQError as error:
            # A name such as localhost may have several addresses, one of which is disabled on this machine.
            if error.errno not in (errno.EADDRNOTAVAIL, errno.ENODEV, errno.EAFNOSUPPORT):
                raise Unavailable(f"{text} can't be bound: {_why(error)}") from error
            failure = error
    if not real:
        why = _why(failure) if failure else "the name has no address"
        raise Unavailable(f"{text} can't be bound: {why}") from failure


def _why(error: zmq.ZMQError) -> str:
    """Text of an error without the endpoint that pyzmq adds to it."""
    return str(zmq.strerror(error.errno or 0))


def _bind(socket: Socket, endpoint: Endpoint, config: Config, port: int | None) -> str:
    """Bind one address. :param port: the port chosen for an earlier address of the same name."""
    everywhere_by_ipv6 = endpoint.host == "*" and config.ip != "4"
    by_ipv6 = everywhere_by_ipv6 or (endpoint.address is not None and endpoint.address.version == 6)
    socket.set(zmq.IPV6, int(by_ipv6))
    if endpoint.any_port:
        endpoint = endpoint.at(endpoint.host, "*" if port is None else str(port))
    if endpoint.transport == "ipc" and endpoint.host.startswith("/"):
        unixsocket.check_free(Path(endpoint.host))
    socket.bind(str(endpoint))
    real = socket.get(zmq.LAST_ENDPOINT)
    assert isinstance(real, bytes)
    return real.rstrip(b"\0").decode()


def _addresses(endpoint: Endpoint, ip: str) -> Iterator[Endpoint]:
    """Addresses of an endpoint's host name. ZeroMQ binds addresses and interfaces, not names, so names are resolved
    here, once, at the start."""
    if endpoint.transport == "ipc" or endpoint.host == "*" or endpoint.address or _is_interface(endpoint.host):
        yield endpoint
        return
    family = {"4": system.AF_INET, "6": system.AF_INET6}.get(ip, system.AF_UNSPEC)
    try:
        found = system.getaddrinfo(endpoint.host, None, family, system.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{endpoint} can't be bound: {endpoint.host!r} is unknown: {error.strerror}") from error
    for host in dict.fromkeys(str(address[0]) for *_, address in sorted(found, key=_ipv4_first)):
        yield endpoint.at(host)


def _is_interface(name: str) -> bool:
    try:
        system.if_nametoindex(name)
    except OSError:
        return False
    return True


def _ipv4_first(found: tuple[Any, ...]) -> bool:
    return bool(found[0] != system.AF_INET)


def reachable(binds: Sequence[str]) -> str:
    """Endpoint to connect to from this machine to reach one of these bound endpoints. With two, each message would
    arrive twice.

    :raises Unavailable: their ports are chosen at each start.
    """
    for text in binds:
        endpoint = Endpoint.parse(text)
        if endpoint.any_port:
            continue
        loopback = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(endpoint.host)  # noqa: S104
        return str(endpoint.at(loopback) if loopback else endpoint)
    raise Unavailable(f"the port of {', '.join(binds)} is chosen at each start: configure a fixed one")
