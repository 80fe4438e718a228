"""Formats: how messages of the hub are written as messages of AMQP, and read from them."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from hub.backends.amqp.properties import headers_of, properties_of
from hub.backends.amqp.settings import LONGEST, PLACEHOLDER, Config
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.message import Message


class Delivery(msgspec.Struct, gc=False):
    """A message as the broker delivered it. :ivar properties: pika's. :ivar received_at: epoch seconds."""

    routing_key: str
    redelivered: bool
    properties: Any
    body: bytes
    received_at: float
    backend: str


class Outgoing(msgspec.Struct):
    """A message as it is published. :ivar properties: pika's."""

    routing_key: str
    body: bytes
    properties: Any


class Format(Protocol):
    """A format. Pure, but for the time and the ids of what it makes."""

    def read(self, delivery: Delivery) -> Message:
        """Make a message. :raises Unusable: the format refuses it."""

    def write(self, message: Message) -> Outgoing:
        """Make what is published. :raises CannotPublish: it can never be sent."""


class Plain:
    """Format of any bytes. The topic is the routing key."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def read(self, delivery: Delivery) -> Message:
        """Make a message. :raises Unusable: it is too large, or has no topic."""
        properties = delivery.properties
        message = Message(
            properties.message_id or "",
            delivery.routing_key,
            delivery.body,
            headers_of(properties, delivery.redelivered),
            delivery.received_at,
            delivery.backend,
        )
        if len(delivery.body) > self._config.max_message_size:
            reason = f"the body has {len(delivery.body)} bytes, and max_message_size is {self._config.max_message_size}"
            raise Unusable("oversize", reason, message)
        if not delivery.routing_key:
            raise Unusable("topic", "the message has no routing key, and so no topic", message)
        return message

    def write(self, message: Message) -> Outgoing:
        """Make what is published. :raises CannotPublish: see :meth:`Format.write`."""
        check(message, self._config)
        key = routing_key(message.topic, self._config)
        return Outgoing(key, message.body, properties_of(message, self._config.persistent))


def check(message: Message, config: Config) -> None:
    """Check what no format can send. :raises CannotPublish: it is so."""
    if config.publish is None:
        raise CannotPublish("the backend has no 'publish': it has no exchange to send to")
    if not message.topic:
        raise CannotPublish("a message without a topic has no routing key")
    if len(message.body) > config.max_message_size:
        raise CannotPublish(f"it has {len(message.body)} bytes, and max_message_size is {config.max_message_size}")


def routing_key(topic: str, config: Config) -> str:
    """The routing key of a topic. :raises CannotPublish: it is longer than AMQP's may be."""
    key = config.routing_key.replace(PLACEHOLDER, topic)
    if len(key.encode(errors="surrogatepass")) > LONGEST:
        raise CannotPublish(f"its routing key has more than {LONGEST} bytes, AMQP's limit: {key[:40]}...")
    return key
