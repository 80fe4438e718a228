"""Messages of AMQP for tests: as a broker delivers them, and as they are after the wire."""

from __future__ import annotations

from typing import Any

from pika import BasicProperties

from hub.backends.amqp.client import format_of
from hub.backends.amqp.formats import Delivery, Format, Outgoing
from hub.message import Message
from tests.unit.backends.amqp.clients import settings


def made(**given: Any) -> Format:
    return format_of(settings(1, **{"publish": "e", **given}), lambda: 1000.0)


def delivery(body: bytes = b"{}", key: str = "a.b", redelivered: bool = False, **properties: Any) -> Delivery:
    return Delivery(key, redelivered, BasicProperties(**properties), body, 5.0, "bus")


def read(outgoing: Outgoing, format: Format) -> Message:
    """Read what was written, as it has gone through the wire."""
    pieces = b"".join(outgoing.properties.encode())
    properties: Any = BasicProperties()
    properties.decode(pieces)
    return format.read(Delivery(outgoing.routing_key, False, properties, outgoing.body, 5.0, "bus"))
