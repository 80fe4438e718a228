"""Subscriber: the user of the connection that receives. It subscribes, passes messages on, and acknowledges them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hub.backends.failover import Failover
from hub.backends.stomp.client_connection import Connection
from hub.backends.stomp.client_ledger import Delivery, Ledger, Told, Verdict
from hub.backends.stomp.client_message import REDELIVERED, message_of
from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.client_subscription import Subscription, subscribe_headers
from hub.backends.stomp.frame import Frame, Version, encode
from hub.backends.unusable import Unusable, unread
from hub.interfaces import BackendContext, Intake
from hub.message import NO_HEADERS, Message


class Subscriber:
    """Subscribes to all destinations, again on each new connection, and consumes.

    :ivar link: the failover whose connection it uses; set before the start.
    :ivar count: messages received. :ivar bytes: of their bodies. :ivar malformed: unusable messages, by cause.
    :ivar redelivered: messages that the broker had sent before.
    """

    link: Failover[Connection] | None = None

    def __init__(self, context: BackendContext) -> None:
        self.count = self.bytes = self.redelivered = 0
        self.malformed: Counter[str] = Counter()
        self._context = context
        self._config: Config = context.config
        self._ack = self._config.ack or ("client-individual" if context.settled else "client")
        self._intake: Intake | None = None
        self._subscriptions = Subscription.all_of(self._config)
        self._ledger = self._new_ledger()
        self._subscribed = self._paused = False
        self._timer: Any = None

    @property
    def _connection(self) -> Connection | None:
        return None if self.link is None else self.link.connection

    @property
    def unconfirmed(self) -> list[str]:
        """Destinations whose subscription the broker has not confirmed."""
        return [one.destination for one in self._subscriptions if not one.confirmed]

    def start(self, intake: Intake) -> None:
        """Connect, and pass messages to this intake."""
        assert self.link is not None
        self._intake = intake
        self.link.start()

    def _new_ledger(self) -> Ledger:
        return Ledger(cumulative=self._ack == "client")

    # -- the connection; see :class:`~hub.backends.stomp.client_connection.User`

    def opened(self, connection: Connection) -> None:
        """Subscribe, unless paused: then nothing could be read."""
        if not self._paused:
            self._subscribe(connection)

    def _subscribe(self, connection: Connection) -> None:
        self._subscribed = True
        for subscription in self._subscriptions:
            connection.send("SUBSCRIBE", subscribe_headers(subscription, self._config, self._ack))
        self._wait_for_receipts()

    def _wait_for_receipts(self) -> None:
        if self.unconfirmed:
            self._timer = self._context.reactor.callLater(self._config.connect_timeout, self._not_confirmed)

    def _not_confirmed(self) -> None:
        self._timer = None
        if self._connection is not None:
            waited = f"{self._config.connect_timeout:g} s"
            self._connection.fail(f"it does not confirm the subscription to {self.unconfirmed[0]} within {waited}")

    def received(self, frames: list[Frame]) -> None:
        """Pass the messages on, as one batch."""
        messages: list[Message] = []
        tokens: list[Delivery] = []
        for frame in frames:
            if frame.command == "MESSAGE":
                self._take(frame, messages, tokens)
            elif frame.command == "RECEIPT":
                self._confirmed(frame.headers.get("receipt-id", ""))
        if messages:
            assert self._intake is not None
            self._intake.receive(messages, tokens)

    def _take(self, frame: Frame, messages: list[Message], tokens: list[Delivery]) -> None:
        headers = frame.headers
        self.count += 1
        self.bytes += len(frame.body)
        if headers.get(REDELIVERED) == "true":
            self.redelivered += 1
        token = None
        if self._ack != "auto":
            # Version 1.1 has no header 'ack': there a message is acknowledged by its own id.
            ack_id = headers.get("ack") or headers.get("message-id", "")
            token = self._ledger.add(headers.get("subscription", ""), ack_id)
        try:
            messages.append(message_of(frame, self._config, self._context.wall(), self._context.name))
        except Unusable as error:
            self._refuse(error, token)
            return
        except Exception as error:  # noqa: BLE001 - the others must not go with it
            place, wall = headers.get("destination", ""), self._context.wall()
            shown = Message(headers.get("message-id", ""), place, frame.body, NO_HEADERS, wall, self._context.name)
            self._refuse(unread(error, shown, self._context.log), token)
            return
        if token is not None:
            tokens.append(token)

    def _refuse(self, error: Unusable, token: Delivery | None) -> None:
        """Count a message that can't be used, and let the broker bury it."""
        assert self._intake is not None
        self.malformed[error.kind] += 1
        self._intake.refuse(error.shown, str(error))
        if token is not None:
            self._tell(self._ledger.settle([token], Verdict.NACK))

    def _confirmed(self, receipt: str) -> None:
        for subscription in self._subscriptions:
            if subscription.receipt == receipt:
                subscription.confirmed = True
                if not self.unconfirmed and self.link is not None:
                    self._stop_waiting()
                    self.link.established()

    def lost(self, reason: str, error: Frame | None) -> None:
        """Forget what the broker was not told: it delivers those messages again."""
        self._stop_waiting()
        self._subscribed = False
        for subscription in self._subscriptions:
            subscription.confirmed = False
        self._ledger = self._new_ledger()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- acknowledgements

    def confirm(self, tokens: Sequence[Delivery]) -> None:
        """Acknowledge messages."""
        self._tell(self._ledger.settle(tokens, Verdict.ACK))

    def _tell(self, told: Sequence[Told]) -> None:
        connection = self._connection
        if told and connection is not None:
            version = connection.version
            connection.write(b"".join([_ack(verdict, delivery, version) for verdict, delivery in told]))

    # -- flow control

    def pause(self) -> None:
        """Read no more. Without acknowledgements the broker stops at its prefetch."""
        self._paused = True
        if self._subscribed and self._connection is not None:
            self._stop_waiting()
            self._connection.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        connection = self._connection
        if connection is not None and self._subscribed:
            self._wait_for_receipts()
            connection.resume()
        elif connection is not None:
            self._subscribe(connection)

    def at_bound(self) -> str | None:
        """Return which subscription's prefetch is used up; ``None``: none is. See :class:`hub.held_places.Bounding`."""
        prefetch = self._config.prefetch
        for one in self._subscriptions:
            if one.confirmed and self._ledger.of(one.id) >= prefetch:
                return f"the broker sends no more from {one.destination}, whose prefetch of {prefetch} is used up"
        return None

    def status(self) -> dict[str, Any]:
        """Counters, and the subscriptions that the broker has confirmed."""
        return {
            "received": self.count,
            "bytes": self.bytes,
            "malformed": dict(self.malformed),
            "redelivered": self.redelivered,
            "unacknowledged": len(self._ledger),
            "subscriptions": [one.destination for one in self._subscriptions if one.confirmed],
        }


def _ack(verdict: Verdict, delivery: Delivery, version: Version) -> bytes:
    if version == Version.V12:
        headers = {"id": delivery.ack_id}
    else:
        headers = {"subscription": delivery.subscription, "message-id": delivery.ack_id}
    if verdict is Verdict.NACK:
        headers["requeue"] = "false"  # RabbitMQ would deliver it again at once
    return encode(verdict.name, headers, version=version)
