"""Streams messages as they arrive to a client of the control socket."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from hub import jsontext
from hub.message import Message
from hub.subscriptions import SinkSubscription, Subscriptions


@implementer(IPushProducer)
class Tail:
    """A tail writes a JSON object per line. A client that does not keep up misses messages; the line ``{"missed": n}``
    stands in their place. It never holds up the hub.

    :param subscriptions: the enqueuer's; the tail adds and cancels its own.
    """

    def __init__(self, request: Request, patterns: Sequence[str], subscriptions: Subscriptions) -> None:
        self._request = request
        self._patterns = patterns
        self._subscriptions = subscriptions
        self._subscription: SinkSubscription | None = None
        self._paused = False
        self._missed = 0

    def start(self) -> None:
        """Start the tail; it ends when the client hangs up."""
        self._request.notifyFinish().addBoth(lambda _: self.stopProducing())
        self._request.registerProducer(self, True)
        self._request.write(b"")
        self._subscription = self._subscriptions.add(self._patterns, self.show, asks_buses=False)

    def show(self, messages: Sequence[Message]) -> None:
        """Write the messages of one batch."""
        if self._paused:
            self._missed += len(messages)
        else:
            self._request.write(b"".join(_line(message) for message in messages))

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Count messages from now on: the client does not keep up."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Write messages again."""
        self._paused = False
        if self._missed:
            self._request.write(msgspec.json.encode({"missed": self._missed}) + b"\n")
            self._missed = 0

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """End the tail: the client hung up."""
        if self._subscription is not None:
            self._subscription.cancel()


def _line(message: Message) -> bytes:
    """A line with the body as JSON if every client can read that, else as text."""
    raw = message.body
    strict = jsontext.is_strict(raw)  # strict in all of it, or some clients could not parse the line
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
