"""Publications: messages that the hub's own consumers publish by way of the server."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from hub.backends.stomp import destination as destinations
from hub.backends.stomp.destination import Destination, Kind
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.sends import Countdown
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import Receipt
from hub.message import Message


def destination_to_publish(message: Message) -> Destination | None:
    """The queue that the topic of a message names, ``/queue/NAME``; ``None``: it is a topic.

    :raises CannotPublish: it begins with a slash, and names no queue.
    """
    if not message.topic.startswith("/"):
        return None
    try:
        found = destinations.to_send(message.topic)
    except ProtocolError as error:
        raise CannotPublish(str(error)) from error
    if found.kind is not Kind.QUEUE:
        raise CannotPublish(f"expected a topic, or /queue/NAME, not {message.topic!r}")
    return found


class Publication:
    """One message on its way.

    :ivar safe: fires when it is safe. Fails with ``Unavailable`` if the queue is full.
    """

    def __init__(self) -> None:
        self.safe: Deferred[None] = Deferred()

    def answer(self, receipt: Receipt, why_full: str) -> None:
        """Note whether it was taken. :param why_full: as of ``Broker.why_full``."""
        if receipt.full and not self.safe.called:
            self.safe.errback(Unavailable(f"the queue {why_full}"))

    def turned_away(self, told: str | Countdown | None, reason: str) -> None:
        """Note that it will not be taken, after all."""
        if not self.safe.called:
            self.safe.errback(CannotPublish(reason))

    def confirm(self, told: str | Countdown | None) -> None:
        """Note that it is safe."""
        if not self.safe.called:
            self.safe.callback(None)
