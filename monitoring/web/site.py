"""The web server's end of all connections: how many, what each may ask, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from hub.errors import Forbidden
from hub.monitoring.web import headers
from hub.monitoring.web.channel import TIMEOUT, Channel
from hub.monitoring.web.request import Problem, WebRequest

MOST_CONNECTIONS = 200
"""Beyond it the one whose client is waited for longest, to ask or to read, has to go for a new one: whoever reaches the
port must neither use up the hub's file descriptors nor shut out those who do ask."""
MOST_UNREAD = 64 << 20
"""Bytes of answers that may wait for clients to read them; beyond it no more large ones are given."""
GRACE = 5.0
"""Seconds for the answers that are under way when the server stops."""


class WebSite(Site):
    """Without an access log: a page that is live would fill the journal.

    :param check: of every request, before anything is looked up. It raises ``Forbidden``.
    :param on_bug: is told of what should not have happened.
    :ivar refused: connections that were too many, whether the new one was closed or an old one; it only grows.
    """

    requestFactory = WebRequest
    protocol = Channel  # type: ignore[assignment]

    def __init__(self, root: Resource, reactor: Any, check: Callable[[Request], None], on_bug: Callable[[Any], None]):
        super().__init__(root, timeout=TIMEOUT, reactor=reactor)  # type: ignore[no-untyped-call]
        self.reactor: Any = reactor
        self.channels: set[Channel] = set()
        self.refused = 0
        self.on_bug = on_bug
        self._check = check

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name
        """For a new connection; ``None`` has it closed."""
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
        """Whether one more answer of so many bytes is too much."""
        return size + sum(channel.unread for channel in self.channels) > MOST_UNREAD

    def getResourceFor(self, request: Request) -> Any:  # noqa: N802 - Twisted's name
        """What answers."""
        request.setHeader(b"Server", headers.SECURITY[b"Server"])
        try:
            self._check(request)
        except Forbidden as error:
            return Problem(error.code, str(error))
        return super().getResourceFor(request)  # type: ignore[no-untyped-call]

    def hang_up(self) -> None:
        """Close what is idle; let answers that are under way finish, a while: one may be of the very order that stops
        this server (a reload)."""
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
        """Nothing."""
