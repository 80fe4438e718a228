"""Streams a large answer, made piece by piece as fast as the client reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from twisted.internet.interfaces import IPullProducer
from twisted.web.server import Request
from zope.interface import implementer


@implementer(IPullProducer)
class Streaming:
    """A producer of pieces. The reactor does other work between two pieces. A piece is made when the one before it is
    sent, so a client that does not read holds one piece in memory.

    :param pieces: of the body. If they raise, the connection is cut, so that no client takes a part for the whole.
    """

    def __init__(self, request: Request, pieces: Iterator[bytes], log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._log = log
        self._request = request
        self._pieces = pieces

    def start(self) -> None:
        """Start; it ends by itself. The request's headers must be set."""
        self._request.registerProducer(self, False)

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Send the next piece."""
        try:
            piece = next(self._pieces, None)
        except Exception as error:  # noqa: BLE001 - the log says why
            self._log.error("a streamed answer failed", exc_info=error, extra={"action": "bug"})
            self._request.unregisterProducer()
            self._request.loseConnection()
            return
        if piece is None:
            self._request.unregisterProducer()
            self._request.finish()
        else:
            self._request.write(piece)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Stop: the client hung up."""
        self._pieces = iter(())
