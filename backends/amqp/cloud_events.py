"""Format of CloudEvents 1.0 over AMQP 0-9-1, for which there is no binding: that of AMQP 1.0 is taken, with headers for
its application properties. Both modes are read."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from hub.backends.amqp.formats import Delivery, Outgoing, Plain, check, routing_key
from hub.backends.amqp.properties import REDELIVERED, properties_of
from hub.backends.amqp.settings import Config
from hub.backends.bounds import excess
from hub.backends.unusable import Unusable
from hub.cloudevents import (
    CONTENT_TYPE,
    PREFIX,
    STRUCTURED,
    CloudEvent,
    NoEvent,
    event_of,
    read_structured,
    write_structured,
)
from hub.errors import CannotPublish
from hub.interfaces import Clock
from hub.message import Message

MARKS = ("cloudEvents:", "cloudEvents_")
"""Beginnings of the names of headers that are attributes. Either is read; the first is written."""


class CloudEvents:
    """Format of CloudEvents. The topic is the routing key. :param wall: returns epoch seconds."""

    def __init__(self, config: Config, wall: Clock) -> None:
        self._config = config
        self._plain = Plain(config)
        self._wall = wall

    def read(self, delivery: Delivery) -> Message:
        """Make a message. :raises Unusable: it is no event, or its attributes are too large."""
        raw = self._plain.read(delivery)
        try:
            event = self._event(raw, delivery.properties.headers or {})
        except NoEvent as error:
            raise Unusable(error.kind, str(error), raw) from error
        kept = {name: value for name, value in raw.headers.items() if not name.startswith(MARKS)}
        kept.pop(CONTENT_TYPE, None)
        made = Message(event.id, raw.topic, event.data, kept | event.headers(), raw.received_at, raw.backend)
        # What stands in the body AMQP does not bound.
        beyond = excess(made.topic, made.id, made.headers) if event.data is not raw.body else None
        if beyond is not None:
            raise Unusable(*beyond, made)
        return made

    def _event(self, raw: Message, headers: Mapping[str, object]) -> CloudEvent:
        """The event of a message. :param headers: as the broker gave them: lists are none of the hub's values."""
        kind = str(raw.headers.get(CONTENT_TYPE, ""))
        if kind.lower().startswith(STRUCTURED):
            return read_structured(raw.body)
        if kind.lower().startswith("application/cloudevents"):
            raise NoEvent("cloudevent", f"the format {kind[:60]!r} is not read, only {STRUCTURED}")
        attributes: dict[str, object] = {
            name[len(MARKS[0]) :]: _value(value)
            for name, value in headers.items()
            if name.startswith(MARKS) and value is not None
        }
        if kind:
            attributes["datacontenttype"] = kind
        return CloudEvent(attributes, raw.body)

    def write(self, message: Message) -> Outgoing:
        """Make what is published. :raises CannotPublish: see :meth:`~hub.backends.amqp.formats.Format.write`."""
        check(message, self._config)
        try:
            event = event_of(message, self._config.cloudevents_source, self._wall())
        except NoEvent as error:
            raise CannotPublish(str(error)) from error
        own = {name: value for name, value in message.headers.items() if not name.startswith(PREFIX)}
        own.pop(REDELIVERED, None)
        body = event.data
        if self._config.cloudevents_mode == "structured":
            body = write_structured(event)
            own[CONTENT_TYPE] = f"{STRUCTURED}; charset=utf-8"
        else:
            attributes = dict(event.attributes)
            kind = attributes.pop("datacontenttype", None)
            own.update({MARKS[0] + name: value for name, value in attributes.items()})
            own |= {} if kind is None else {CONTENT_TYPE: kind}
        properties = properties_of(message, self._config.persistent, own)
        return Outgoing(routing_key(message.topic, self._config), body, properties)


def _value(value: object) -> object:
    """The value of an attribute: times and bytes as the texts that CloudEvents has for them, a number without
    pika's own class."""
    if isinstance(value, datetime):
        when = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
