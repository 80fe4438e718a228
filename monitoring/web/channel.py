"""A connection of HTTP/1.1: twisted.web's, with bounds on what a client can make it hold."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.web.http import HTTPChannel

from monitoring.web import headers

TIMEOUT = 60.0
"""Seconds from the end of one answer to the end of the next request. Nothing extends it: a client that sends a byte now
and then (slowloris) has no longer than one that sends nothing."""


class Channel(HTTPChannel):
    """One connection."""

    maxHeaders = 100
    site: Any
    transport: Any

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begin."""
        self.site.channels.add(self)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def connectionLost(self, reason: Any = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """It is over."""
        self.site.channels.discard(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def resetTimeout(self) -> None:  # noqa: N802 - Twisted's name
        """Not for a byte that arrives; see :data:`TIMEOUT`."""

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """A body, or what comes while a request is being answered. Twisted keeps all of the latter where the client
        does not read: without end."""
        super().rawDataReceived(data)
        if self._handlingRequest and sum(map(len, self._dataBuffer)) > self._optimisticEagerReadSize:
            self.transport.pauseProducing()

    def requestDone(self, request: Any) -> None:  # noqa: N802 - Twisted's name
        """It is answered. The next one, if it came along with it (pipelining), has to wait: for the next turn of the
        reactor, so that others have theirs, and until the client reads, so that no answers pile up."""
        self.paused = True
        super().requestDone(request)  # type: ignore[no-untyped-call]
        if self._waitingForTransport:
            self.transport.pauseProducing()
        else:
            self.site.reactor.callLater(0, self._go_on)

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client reads again."""
        super().resumeProducing()  # type: ignore[no-untyped-call]
        self._go_on()

    def _go_on(self) -> None:
        if self.paused and not self._waitingForTransport and self in self.site.channels:
            self.paused = False
            self.dataReceived(b"")  # type: ignore[no-untyped-call]

    def refuse(self, status: bytes) -> None:
        """Answer before the request is whole, and hang up."""
        head = b"HTTP/1.1 " + status + b"\r\n" + headers.LINES + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
        self.transport.write(head)
        self.loseConnection()  # type: ignore[no-untyped-call]

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 - Twisted's name
        self.refuse(b"400 Bad Request")
