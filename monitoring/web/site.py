"""Site of the web server: limits the connections, passes requests to the API, and closes all at the stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from hub.monitoring.web import headers
from hub.monitoring.web.channel import TIMEOUT, Channel
from hub.monitoring.web.request import WebRequest

MOST_CONNECTIONS = 200
"""Connections at most; a further one replaces the one whose client is idle for longest: a client must neither use up
the hub's file descriptors nor lock out active ones."""
MOST_UNREAD = 64 << 20
"""Bytes of answers that may wait for clients to read them; beyond it further large answers are refused."""
GRACE = 5.0
"""Seconds for running answers when the server stops."""


class WebSite(Site):
    """Site without an access log: a live page would flood the journal.

    :param on_bug: called after an internal error.
    :ivar refused: connections closed because there were too many, new or old ones; it only grows.
    """

    requestFactory = WebRequest
    protocol = Channel  # type: ignore[assignment]

    def __init__(self, root: Resource, reactor: Any, on_bug: Callable[[Any], None]):
        super().__init__(root, timeout=TIMEOUT, reactor=reactor)  # type: ignore[no-untyped-call]
        self.reactor: Any = reactor
        self.channels: set[Channel] = set()
        self.refused = 0
        self.on_bug = on_bug

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """Create the channel of a new connection; ``None``: it is refused."""
        if len(self.channels) >= MOST_CONNECTIONS:
            self.refused += 1
            idle = [channel for channel in self.channels if channel.waits_since is not None]
            if not idle:
                return None
            longest = min(idle, key=lambda channel: channel.waits_since or 0.0)
            self.channels.discard(longest)
            longest.abort()
        return super().buildProtocol(addr)  # type: ignore[no-untyped-call]

    def crowded(self, size: int) -> bool:
        """True if another answer of ``size`` bytes is too much."""
        return size + sum(channel.unread for channel in self.channels) > MOST_UNREAD

    def getResourceFor(self, request: Request) -> Any:  # noqa: N802 - Twisted's name
        """Return the API. The ``Server`` header does not name Twisted."""
        request.setHeader(b"Server", headers.SECURITY[b"Server"])
        return super().getResourceFor(request)  # type: ignore[no-untyped-call]

    def hang_up(self) -> None:
        """Close idle connections, and the others after :data:`GRACE`: one of the running answers may be that of the
        reload which stops this server."""
        for channel in list(self.channels):
            if channel.requests:
                channel.persistent = 0
            else:
                channel.loseConnection()  # type: ignore[no-untyped-call]
        self.reactor.callLater(GRACE, self._cut)

    def _cut(self) -> None:
        for channel in list(self.channels):
            channel.transport.abortConnection()

    def log(self, request: Any) -> None:
        """Log nothing."""
