"""HTTP/1.1 connection: twisted.web's, with limits on its memory and time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

from hub.monitoring.web import headers

TIMEOUT = 60.0
"""Seconds from the end of one answer to the end of the next request. Nothing extends it: a client that sends single
bytes (slowloris) has as long as one that sends nothing."""


class Channel(HTTPChannel):
    """HTTP connection. :ivar unread: bytes of answers, approximately, that wait for the client to read them."""

    maxHeaders = 100
    unread = 0
    waits_since: float | None = None
    """Monotonic seconds since when the server waits for the client, to send or to read; ``None``: the client waits."""
    site: Any
    transport: Any

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Start the timeout."""
        self.site.channels.add(self)
        self.waits_since = self.site.reactor.seconds()
        super().connectionMade()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Remove the connection from the site."""
        self.site.channels.discard(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def resetTimeout(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: arriving bytes don't extend the timeout; see :data:`TIMEOUT`."""

    def write(self, data: bytes) -> None:
        """Write a part of an answer."""
        self.writeSequence([data])

    def writeSequence(self, iovec: Iterable[bytes]) -> None:  # noqa: N802 - Twisted's name
        """Write parts of an answer."""
        parts = list(iovec)
        self.unread = (self.unread if self._waitingForTransport else 0) + sum(map(len, parts))
        super().writeSequence(parts)  # type: ignore[no-untyped-call]
        if not self._waitingForTransport:
            self.unread = 0
        elif self.waits_since is None:
            self.waits_since = self.site.reactor.seconds()

    def allContentReceived(self) -> None:  # noqa: N802 - Twisted's name
        """Stop the timeout: the request is complete."""
        self.waits_since = None
        super().allContentReceived()  # type: ignore[no-untyped-call]

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Handle a body, or data that arrives while a request is being answered, which Twisted would buffer without
        limit."""
        super().rawDataReceived(data)
        if self._handlingRequest and sum(map(len, self._dataBuffer)) > self._optimisticEagerReadSize:
            self.transport.pauseProducing()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - Twisted's name
        """Finish an answered request. A pipelined next request waits for the next turn of the reactor, so that others
        have theirs, and until the client reads, so that answers don't accumulate."""
        self.paused = True
        self.waits_since = self.site.reactor.seconds()
        super().requestDone(request)  # type: ignore[no-untyped-call]
        if self._waitingForTransport:
            self.transport.pauseProducing()
        else:
            self.site.reactor.callLater(0, self._go_on)

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Continue: the client has read all answers."""
        self.unread = 0
        self.waits_since = None if self._handlingRequest else self.site.reactor.seconds()
        super().resumeProducing()  # type: ignore[no-untyped-call]
        self._go_on()

    def _go_on(self) -> None:
        if self.paused and not self._waitingForTransport and self in self.site.channels:
            self.paused = False
            self.dataReceived(b"")  # type: ignore[no-untyped-call]

    def refuse(self, status: bytes) -> None:
        """Answer before the request is complete, and close the connection."""
        head = b"HTTP/1.1 " + status + b"\r\n" + headers.LINES + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
        self.transport.write(head)
        self.loseConnection()  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """Close the connection at once, even during an answer."""
        self.transport.abortConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's name
        self.refuse(b"400 Bad Request")
