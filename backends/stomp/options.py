"""Options of the STOMP server's connections."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from hub.backends.stomp.heartbeat import Beats
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.tls import ServerTLS

SHORTEST = Beats(1000, 1000)
"""Intervals that the server can keep with many clients; shorter ones cost it more than they tell."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of all connections.

    :ivar login_timeout: seconds from the start of a connection to its login.
    :ivar beats: the shortest intervals; clients may agree on longer ones, or on none.
    :ivar max_unread: bytes of answers that may wait while a client does not read. :ivar read_timeout: seconds for which
        it may stop reading.
    :ivar origins: web pages that may connect: ``scheme://host``, ``scheme://host:port``, ``scheme://host:*``, or ``*``.
    :ivar tls: ``None``: the port is plain.
    """

    limits: Limits = field(default_factory=Limits)
    login_timeout: float = 10.0
    max_connections: int = 2000
    max_connections_per_address: int = 1000
    beats: Beats = SHORTEST
    max_unread: int = 1 << 20
    read_timeout: float = 60.0
    origins: Collection[str] = ()
    tls: ServerTLS | None = None
