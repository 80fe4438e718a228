"""Subscriber: the user of the connection that receives. It passes messages on, and acknowledges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hub.backends.amqp.connection import Connection
from hub.backends.amqp.formats import Delivery, Format
from hub.backends.amqp.ledger import Ledger
from hub.backends.amqp.settings import Config
from hub.backends.amqp.subscription import Subscription
from hub.backends.failover import Failover
from hub.backends.unusable import Unusable, unread
from hub.backoff import Uniform
from hub.interfaces import BackendContext, Intake
from hub.message import NO_HEADERS, Message

Token = tuple[Subscription, Ledger, int]
"""One message of one channel; the token by which the hub confirms it."""


class Subscriber:
    """Subscribes to all queues, again on each new connection, and consumes.

    :ivar link: the failover whose connection it uses; set before the start. :ivar subscriptions: one for each queue.
    :ivar count: messages received. :ivar bytes: of their bodies. :ivar malformed: refused messages, by cause.
    :ivar redelivered: messages that the broker had sent before.
    """

    link: Failover[Connection] | None = None

    def __init__(self, context: BackendContext, format: Format, uniform: Uniform) -> None:
        self.count = self.bytes = self.redelivered = 0
        self.malformed: Counter[str] = Counter()
        self._context = context
        self._format = format
        self._intake: Intake | None = None
        config: Config = context.config
        self.subscriptions = [
            Subscription(name, queue, context, uniform, self._confirmed) for name, queue in config.queues.items()
        ]
        self._paused = False
        self._held: list[Any] = []
        self._held_bytes = 0

    def start(self, intake: Intake) -> None:
        """Connect, and pass messages to this intake."""
        assert self.link is not None
        self._intake = intake
        self.link.start()

    # -- the connection; see :class:`~hub.backends.failover.BrokerUser`

    def opened(self, connection: Connection) -> None:
        """Subscribe."""
        for subscription in self.subscriptions:
            subscription.open(connection)

    def _confirmed(self) -> None:
        if self.link is not None and not self.link.usable and self.not_ready() is None:
            self.link.established()

    def received(self, batch: list[Any]) -> None:
        """Pass the messages on, as one batch. While paused they are held: the broker stops at its prefetch. Not to read
        on would bound their bytes, and end the connection: its heart-beats would be read no more either."""
        if self._paused:
            self._held.extend(batch)
            self._held_bytes += sum(len(one[-1]) for one in batch)
            return
        messages: list[Message] = []
        tokens: list[Token] = []
        read, now, name = self._format.read, self._context.wall(), self._context.name
        for subscription, ledger, method, properties, body in batch:
            self.count += 1
            self.bytes += len(body)
            self.redelivered += method.redelivered
            try:
                messages.append(read(Delivery(method.routing_key, method.redelivered, properties, body, now, name)))
            except Unusable as error:
                self._refuse(error, (subscription, ledger, method.delivery_tag))
            except Exception as error:  # noqa: BLE001 - the others must not go with it
                shown = Message(properties.message_id or "", method.routing_key, body, NO_HEADERS, now, name)
                self._refuse(unread(error, shown, self._context.log), (subscription, ledger, method.delivery_tag))
            else:
                tokens.append((subscription, ledger, method.delivery_tag))
        if messages:
            assert self._intake is not None
            self._intake.receive(messages, tokens)

    def _refuse(self, error: Unusable, token: Token) -> None:
        assert self._intake is not None
        self.malformed[error.kind] += 1
        self._intake.refuse(error.shown, str(error))
        subscription, ledger, tag = token
        if subscription.ledger is ledger:
            subscription.refuse(tag)

    def lost(self, reason: str, error: Any) -> None:
        """Forget what the broker was not told: it delivers those messages again."""
        self._held.clear()
        self._held_bytes = 0
        for subscription in self.subscriptions:
            subscription.lost()

    def confirm(self, tokens: Sequence[Token]) -> None:
        """Acknowledge messages. Those of an earlier channel are left out: the broker delivers them again."""
        tags: dict[Subscription, list[int]] = {}
        for subscription, ledger, tag in tokens:
            if subscription.ledger is ledger:
                tags.setdefault(subscription, []).append(tag)
        for subscription, mine in tags.items():
            subscription.acknowledge(mine)

    def pause(self) -> None:
        """Pass nothing on. Without acknowledgements the broker stops at its prefetch."""
        self._paused = True

    def resume(self) -> None:
        """Pass on what was held, and what comes."""
        self._paused = False
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            self.received(held)

    def not_ready(self) -> str | None:
        """Why some queue sends nothing; ``None``: all send."""
        for one in self.subscriptions:
            if not one.confirmed:
                return f"queue {one.name}: {one.error or 'the broker has not confirmed the subscription'}"
        return None

    def at_bound(self) -> str | None:
        """Return which queue's prefetch is used up; ``None``: no one's. See :class:`hub.held_places.Bounding`."""
        for one in self.subscriptions:
            if one.full:
                return f"the broker sends no more from queue {one.name}, whose prefetch of {one.prefetch} is used up"
        return None

    def status(self) -> dict[str, Any]:
        """Counters, and the subscriptions that the broker has confirmed."""
        return {
            "received": self.count,
            "bytes": self.bytes,
            "malformed": dict(self.malformed),
            "redelivered": self.redelivered,
            "unacknowledged": sum(len(one.ledger) for one in self.subscriptions),
            "held_bytes": self._held_bytes,
            "subscriptions": [one.name for one in self.subscriptions if one.confirmed],
        }
