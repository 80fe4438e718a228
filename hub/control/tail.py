"""Messages as they come, for one client of the control socket."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from hub import jsontext
from hub.enqueuer import Tap
from hub.message import Message
from hub.router import Router


@implementer(IPushProducer)
class Tail:
    """Writes a JSON object a line. A client that does not keep up misses messages, and is told how many: the line
    ``{"missed": n}`` stands where they would have been. It never holds up the hub.

    :param taps: where the enqueuer shows what it receives; the tail enters and leaves it by itself.
    """

    def __init__(self, request: Request, patterns: Sequence[str], taps: list[Tap]) -> None:
        self._request = request
        self._router: Router[None] = Router([(patterns, None)])
        self._taps = taps
        self._paused = False
        self._missed = 0

    def start(self) -> None:
        """Begin; it ends when the client hangs up."""
        self._request.notifyFinish().addBoth(lambda _: self.stopProducing())
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._taps.append(self.show)

    def show(self, messages: Sequence[Message]) -> None:
        """One batch from the enqueuer."""
        wanted = [message for message in messages if self._router.route(message.topic)]
        if self._paused:
            self._missed += len(wanted)
        elif wanted:
            self._request.write(b"".join(_line(message) for message in wanted))

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The client does not keep up."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It does again."""
        self._paused = False
        if self._missed:
            self._request.write(msgspec.json.encode({"missed": self._missed}) + b"\n")
            self._missed = 0

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It hung up."""
        if self.show in self._taps:
            self._taps.remove(self.show)


def _line(message: Message) -> bytes:
    """The body as JSON where every client can read that, else as text."""
    raw = message.body
    strict = jsontext.is_strict(raw)  # all of it: else a client might not be able to read the line
    body = msgspec.Raw(raw.replace(b"\n", b" ")) if strict else raw.decode("utf-8", "replace")
    fields = {
        "topic": message.topic,
        "id": message.id,
        "received_at": message.received_at,
        "backend": message.backend,
        "headers": dict(message.headers),
        "body": body,
    }
    return msgspec.json.encode(fields) + b"\n"
