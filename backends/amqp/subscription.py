"""Subscription to one queue: a channel that declares, binds and consumes, again when the broker ends that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from hub.backends.amqp.broker_text import reason_of
from hub.backends.amqp.connection import Connection
from hub.backends.amqp.ledger import Ledger
from hub.backends.amqp.settings import Config, ConsumedQueue
from hub.backoff import Uniform, delay_after
from hub.interfaces import BackendContext

STABLE = 10.0
"""Seconds after which a subscription counts as good, so that the next one is tried soon."""


def _nothing(*_: Any) -> None:
    """Without a callback pika would not wait for the broker's answer."""


class Subscription:
    """Subscription to one queue, in a channel of its own: the broker ends a channel on an error, with all consumers in
    it.

    :ivar confirmed: true while the broker has confirmed that it sends. :ivar error: why it does not; empty: unknown.
    :ivar ledger: of the current channel. :ivar prefetch: messages that may be unacknowledged at once.
    """

    def __init__(
        self,
        name: str,
        queue: ConsumedQueue,
        context: BackendContext,
        uniform: Uniform,
        on_confirmed: Callable[[], None],
    ) -> None:
        self.name = name
        self.confirmed = False
        self.error = ""
        self.ledger = Ledger()
        self._queue = queue
        self._config: Config = context.config
        self.prefetch = queue.prefetch or self._config.prefetch
        self._reactor = context.reactor
        self._log: logging.LoggerAdapter[logging.Logger] = context.log
        self._uniform = uniform
        self._on_confirmed = on_confirmed
        self._connection: Connection | None = None
        self._channel: Any = None
        self._timer: Any = None
        self._failures = 0
        self._since = 0.0
        self._logged = ""

    @property
    def full(self) -> bool:
        """True if the broker sends no more until it is told of some message."""
        return self.confirmed and len(self.ledger) >= self.prefetch

    def open(self, connection: Connection) -> None:
        """Subscribe over this connection."""
        self._connection = connection
        self._failures = 0
        self._try()

    def _try(self) -> None:
        self._timer = None
        if self._connection is None or not self._connection.is_open:
            return  # it is about to end, which is told
        self._timer = self._reactor.callLater(self._config.connect_timeout, self._too_late)
        self._connection.channel(self._opened)

    def _too_late(self) -> None:
        self._timer = None
        if self._connection is not None:
            waited = f"{self._config.connect_timeout:g} s"
            self._connection.fail(f"it does not confirm the subscription to {self.name!r} within {waited}")

    def _opened(self, channel: Any) -> None:
        if self._connection is None:
            return
        queue, self._channel, self.ledger = self._queue, channel, Ledger()
        channel.add_on_close_callback(self._closed)
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_qos(prefetch_count=self.prefetch, callback=_nothing)
        channel.queue_declare(
            self.name,
            passive=not queue.declare,
            durable=queue.durable,
            exclusive=queue.exclusive,
            auto_delete=queue.auto_delete,
            arguments=queue.declared_arguments(),
            callback=_nothing,
        )
        for binding in queue.bindings:
            for key in binding.keys:
                channel.queue_bind(self.name, binding.exchange, key, binding.arguments, callback=_nothing)
        channel.basic_consume(
            self.name, self._deliverer(channel), arguments=queue.consume_arguments, callback=self._consuming
        )

    def _deliverer(self, channel: Any) -> Callable[[Any, Any, Any, bytes], None]:
        """The consumer of a channel. It is called once for each message, so it has all at hand."""
        assert self._connection is not None
        arrived, note, ledger = self._connection, self.ledger.add, self.ledger

        def deliver(_: Any, method: Any, properties: Any, body: bytes) -> None:
            note(method.delivery_tag)
            arrived.arrived.append((self, ledger, method, properties, body))

        return deliver

    def _consuming(self, frame: Any) -> None:
        self._cancel_timer()
        self.confirmed, self.error, self._logged = True, "", ""
        self._since = self._reactor.seconds()
        self._on_confirmed()
        extra = {"action": "subscribe", "queue": self.name}
        self._log.info("receiving from the queue %r", self.name, extra=extra)

    # -- its end

    def _cancelled(self, frame: Any) -> None:
        """The broker has ended the consumer: the queue was deleted, or moved to another node."""
        channel, self._channel = self._channel, None
        self._failed("the broker has cancelled the consumer: the queue was deleted, or its node is away")
        if channel is not None and channel.is_open:
            channel.close()

    def _closed(self, channel: Any, error: BaseException) -> None:
        if channel is not self._channel:
            return
        self._channel = None
        if hasattr(error, "reply_code") and self._connection is not None and self._connection.is_open:
            self._failed(reason_of(error))

    def _failed(self, reason: str) -> None:
        """Subscribe again after a while."""
        self._cancel_timer()
        if self.confirmed and self._reactor.seconds() - self._since >= STABLE:
            self._failures = 0
        self._failures += 1
        self.confirmed, self.error, self.ledger = False, reason, Ledger()
        if reason != self._logged:
            self._logged = reason
            extra = {"action": "subscribe", "queue": self.name}
            self._log.warning("nothing comes from the queue %r: %s; trying on", self.name, reason, extra=extra)
        delay = delay_after(self._failures, self._uniform, longest=self._config.reconnect_interval_max)
        self._timer = self._reactor.callLater(delay, self._try)

    def lost(self) -> None:
        """The connection has ended: forget what the broker was not told of; it delivers those messages again."""
        self._cancel_timer()
        self._connection = self._channel = None
        self.confirmed, self.ledger = False, Ledger()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- acknowledgements

    def acknowledge(self, tags: list[int]) -> None:
        """Acknowledge messages of the current channel."""
        for tag, multiple in self.ledger.acknowledge(tags):
            if self._usable():
                self._channel.basic_ack(tag, multiple)

    def refuse(self, tag: int) -> None:
        """Have the broker bury a message, or forget it, as configured."""
        if self.ledger.refuse(tag) and self._usable():
            if self._config.refused == "nack":
                self._channel.basic_nack(tag, multiple=False, requeue=False)
            else:
                self._channel.basic_ack(tag)

    def _usable(self) -> bool:
        return self._channel is not None and bool(self._channel.is_open)
