"""RabbitMQ publisher of persistent messages. ``rabbitmq_publisher.py PORT COUNT SIZE RATE``.

At most ``WINDOW`` messages are unconfirmed. It uses pika's asynchronous connection: the blocking one waits for the
confirmation of each message.
"""

from __future__ import annotations

from typing import Any

import pika
from publication import Publication  # type: ignore[import-not-found]

EXCHANGE = "messages"
WINDOW = 2000
PROPERTIES = pika.BasicProperties(content_type="application/json", delivery_mode=pika.DeliveryMode.Persistent)


class Publisher:
    """Publisher that sends while its window has room, or at a fixed rate."""

    def __init__(self) -> None:
        self._publication = Publication()
        self._sent = 0
        self._unconfirmed: dict[int, None] = {}
        parameters = pika.ConnectionParameters("127.0.0.1", self._publication.port)
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._opened)
        self._channel: Any = None

    def run(self) -> None:
        """Run until all messages are confirmed."""
        self._connection.ioloop.start()

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._ready)

    def _ready(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._confirm, callback=self._begin)

    def _begin(self, _frame: Any) -> None:
        self._publication.begin()
        self._send()

    def _confirm(self, frame: Any) -> None:
        if not isinstance(frame.method, pika.spec.Basic.Ack):
            raise RuntimeError("the broker refused a message")
        tag = frame.method.delivery_tag
        if frame.method.multiple:
            for earlier in [each for each in self._unconfirmed if each <= tag]:
                del self._unconfirmed[earlier]
        else:
            del self._unconfirmed[tag]
        if self._sent == self._publication.count and not self._unconfirmed:
            self._publication.end()
        elif not self._publication.rate:
            self._send()

    def _send(self) -> None:
        """Send the messages that are due: with a rate regardless of the window, else up to the window."""
        rate = self._publication.rate
        while self._sent < self._publication.count and (rate or len(self._unconfirmed) < WINDOW):
            if (left := self._publication.due(self._sent)) > 0:
                self._connection.ioloop.call_later(left, self._send)
                return
            self._sent += 1
            self._unconfirmed[self._sent] = None
            self._channel.basic_publish(EXCHANGE, "", self._publication.stamped(), PROPERTIES)


Publisher().run()
