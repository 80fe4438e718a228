"""An answer that may be large: made piece by piece, as fast as the client reads it."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.interfaces import IPullProducer
from twisted.web.server import Request
from zope.interface import implementer

from hub.partlog import part_log


@implementer(IPullProducer)
class Pieces:
    """Between two pieces others have their turn; none is made before the one before it is on its way, so a client that
    does not read costs one of them.

    :param pieces: of the body. What they raise ends the connection, so that nobody takes a part for the whole.
    """

    def __init__(self, request: Request, pieces: Iterator[bytes]) -> None:
        self._request = request
        self._pieces = pieces

    def start(self) -> None:
        """Begin; it ends by itself. The request has its headers."""
        self._request.registerProducer(self, False)

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The next piece."""
        try:
            piece = next(self._pieces, None)
        except Exception as error:  # noqa: BLE001 - the log says why
            part_log("hub", "api").error("an answer was not ended", exc_info=error, extra={"action": "bug"})
            self._request.unregisterProducer()
            self._request.loseConnection()
            return
        if piece is None:
            self._request.unregisterProducer()
            self._request.finish()
        else:
            self._request.write(piece)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client hung up."""
        self._pieces = iter(())
