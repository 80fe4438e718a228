"""Memory backend: a bus inside the process, for tests of consumers and of the hub without a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from hub import jsontext
from hub.errors import CannotPublish, PlaceUnavailable, Unavailable
from hub.headers import received
from hub.interfaces import BackendContext, Intake
from hub.message import NO_HEADERS, Message
from hub.settings import Settings
from hub.status.states import BackendState


class Memory:
    """Memory bus that hands test messages to the hub and keeps what consumers publish.

    It behaves like a broker: it holds unread messages, receives the hub's confirmations, and confirms publishing. It
    never discards a message, so it does not suit a long-lived hub.

    :ivar published: messages that consumers published and the bus has confirmed, in order.
    :ivar confirms_late: whether published messages stay unconfirmed until :meth:`confirm_published`.
    :ivar unconfirmed: published messages that wait for :meth:`confirm_published`.
    :ivar refuses: topics whose messages the bus never accepts.
    :ivar full: topics whose messages the bus does not accept now.
    :ivar away: why the bus accepts no message now; empty: it accepts messages.
    :ivar confirmed: tokens of the messages that the hub has confirmed, as ``deliver`` returned them.
    :ivar patterns: the patterns that the hub subscribed to, sorted. Delivery does not depend on them.
    """

    Config: type[Settings] = Settings
    confirms: bool = True
    holds_back: bool = True

    def __init__(self, context: BackendContext) -> None:
        self.published: list[Message] = []
        self.confirms_late = False
        self.unconfirmed: list[tuple[Message, Deferred[None]]] = []
        self.refuses: set[str] = set()
        self.full: set[str] = set()
        self.away = ""
        self.confirmed: list[int] = []
        self.patterns: list[str] = []
        self._context = context
        self._intake: Intake | None = None
        self._state: BackendState = "stopped"
        self._held: list[tuple[Message, int]] = []
        self._delivered = self._received = self._bytes = 0

    def deliver(
        self, topic: str, body: object, headers: Mapping[str, object] = NO_HEADERS, id: str | None = None
    ) -> int:  # fmt: skip
        """Deliver a message. While the backend is paused or not started, it is held. In the reactor's thread only.

        :param body: ``bytes`` and ``str`` as they are, anything else as JSON.
        :param headers: a table or a list becomes JSON text, as on every bus; see :func:`hub.headers.received`.
        :param id: the default is ``memory-1``, ``memory-2`` ...
        :returns: the token by which the hub will confirm it.
        """
        self._delivered += 1
        encoded = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else jsontext.write(body)
        name = f"memory-{self._delivered}" if id is None else id
        kept = received(headers) if headers else NO_HEADERS
        message = Message(name, topic, encoded, kept, self._context.wall(), self._context.name)
        self._held.append((message, self._delivered))
        self._hand_over()
        return self._delivered

    def _hand_over(self) -> None:
        if self._intake is None or self._state != "connected" or not self._held:
            return
        held, self._held = self._held, []
        self._received += len(held)
        self._bytes += sum(len(message.topic.encode()) + len(message.body) for message, _ in held)
        self._intake.receive([message for message, _ in held], [token for _, token in held])

    def start(self, intake: Intake) -> None:
        """Hand over messages that were delivered before the start, then each one as it arrives."""
        self._intake = intake
        self._state = "paused" if self._state == "paused" else "connected"
        self._hand_over()

    def subscribe(self, patterns: Collection[str]) -> None:
        """Add the patterns to :attr:`patterns`."""
        self.patterns = sorted({*self.patterns, *patterns})

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Remove the patterns from :attr:`patterns`."""
        self.patterns = sorted({*self.patterns}.difference(patterns))

    def confirm(self, tokens: Sequence[int]) -> None:
        """Append the tokens to :attr:`confirmed`."""
        self.confirmed.extend(tokens)

    def publish(self, message: Message) -> Deferred[None] | None:
        """Append the message to :attr:`published`, or with ``confirms_late`` to :attr:`unconfirmed`.

        :returns: with ``confirms_late`` a Deferred that :meth:`confirm_published` fires; else ``None``: confirmed.
        :raises CannotPublish: the topic is in :attr:`refuses`. :raises PlaceUnavailable: it is in :attr:`full`.
            :raises Unavailable: the bus is away, or the backend does not run.
        """
        if self._intake is None or self._state == "stopped":
            raise Unavailable(f"backend {self._context.name!r} does not run")
        if message.topic in self.refuses:
            raise CannotPublish(f"the bus takes no message for {message.topic}")
        if self.away:
            raise Unavailable(self.away)
        if message.topic in self.full:
            raise PlaceUnavailable(f"{message.topic} is full")
        if not self.confirms_late:
            self.published.append(message)
            return None
        confirmation: Deferred[None] = Deferred()
        self.unconfirmed.append((message, confirmation))
        return confirmation

    def confirm_published(self, count: int | None = None) -> None:
        """Confirm or refuse the oldest ``count`` unconfirmed messages. :param count: ``None``: all."""
        waiting, self.unconfirmed = self.unconfirmed[:count], [] if count is None else self.unconfirmed[count:]
        for message, confirmation in waiting:
            if message.topic in self.refuses:
                confirmation.errback(CannotPublish(f"the bus takes no message for {message.topic}"))
            else:
                self.published.append(message)
                confirmation.callback(None)

    def lose_connection(self, why: str = "the connection is lost") -> None:
        """Lose the connection until ``away`` is set to empty; unconfirmed messages fail with ``Unavailable``."""
        self.away = why
        waiting, self.unconfirmed = self.unconfirmed, []
        for _, confirmation in waiting:
            confirmation.errback(Unavailable(why))

    def pause(self) -> None:
        """Hold messages that are delivered from now on."""
        self._state = "paused" if self._intake is None or self._state == "connected" else self._state

    def resume(self) -> None:
        """Hand over the held messages, and each later one as it arrives."""
        if self._state == "paused":
            self._state = "connected" if self._intake is not None else "stopped"
            self._hand_over()

    def stop(self) -> None:
        """Hand over no more messages. Held messages stay with the bus, as in a broker; unconfirmed ones fail."""
        self._state = "stopped"
        waiting, self.unconfirmed = self.unconfirmed, []
        for _, confirmation in waiting:
            confirmation.errback(Unavailable(f"backend {self._context.name!r} has stopped"))

    def status(self) -> Mapping[str, Any]:
        """Counters and state for the hub's status."""
        return {
            "state": self._state,
            "received": self._received,
            "bytes": self._bytes,
            "malformed": {},
            "published": len(self.published),
            "confirmed": len(self.confirmed),
            "held": len(self._held),
        }
