"""Format of fedora-messaging over AMQP. A body that its consumers would refuse is refused."""

from __future__ import annotations

from hub.backends.amqp.formats import Delivery, Outgoing, Plain, check, routing_key
from hub.backends.amqp.properties import properties_of
from hub.backends.amqp.settings import Config
from hub.backends.fedora_messaging import PRIORITY, WrongHeader, check_headers, headers_to_send, with_prefix
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.interfaces import Clock
from hub.json_body import NoObject, read_object
from hub.message import Message


class FedoraMessaging:
    """Format of fedora-messaging. The topic is the routing key, with any prefix. :param wall: returns epoch seconds."""

    def __init__(self, config: Config, wall: Clock) -> None:
        self._config = config
        self._plain = Plain(config)
        self._wall = wall

    def read(self, delivery: Delivery) -> Message:
        """Make a message. :raises Unusable: its consumers would refuse it."""
        message = self._plain.read(delivery)
        encoding = str(message.headers.get("content-encoding", "utf-8"))
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
            # Theirs ends on it, and gets it again when it starts.
            raise Unusable("encoding", f"the content encoding is {encoding[:40]!r}, not utf-8", message)
        try:
            read_object(message.body)
            check_headers(delivery.properties.headers or {})
        except (NoObject, WrongHeader) as error:
            raise Unusable(error.kind, str(error), message) from error
        return message

    def write(self, message: Message) -> Outgoing:
        """Make what is published. :raises CannotPublish: see :meth:`~hub.backends.amqp.formats.Format.write`."""
        check(message, self._config)
        try:
            read_object(message.body)
            headers = headers_to_send(message.headers, self._wall())
        except (NoObject, WrongHeader) as error:
            raise CannotPublish(f"fedora-messaging does not take it: {error}") from error
        given = {"content-type": "application/json", "content-encoding": "utf-8"}
        properties = properties_of(message, self._config.persistent, {**headers, **given})
        properties.headers[PRIORITY] = headers[PRIORITY]  # theirs is in both places
        topic = with_prefix(message.topic, self._config.topic_prefix)
        return Outgoing(routing_key(topic, self._config), message.body, properties)
