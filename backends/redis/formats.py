"""Formats: what a message says beyond the fields of its entry, and what is made of a message that is published.

An entry has fields for headers, a channel's message has nowhere to put them but its body.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from msgspec.structs import replace

from hub.backends.envelopes import Envelopes
from hub.backends.fedmsg import MAX_ID, MAX_TOPIC, NONE, NoEnvelope, headers_of
from hub.backends.fedmsg import read as read_envelope
from hub.backends.fedora_messaging import WrongHeader, check_headers, headers_to_send, typed, with_prefix
from hub.backends.redis.settings import Config
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
from hub.json_body import NoObject, read_object
from hub.message import Message


class Format(Protocol):
    """A format. Pure, but for the time and the ids of what it makes."""

    def read(self, message: Message) -> Message:
        """Make a message of what an entry's fields say. :raises Unusable: the format refuses it."""

    def write(self, message: Message) -> Message:
        """Make what is sent, whose headers become fields. :raises CannotPublish: it can never be sent."""

    def check(self, message: Message) -> None:
        """Check that a message can be sent, in any thread. :raises CannotPublish: it never can."""


class Plain:
    """Format of any bytes."""

    def read(self, message: Message) -> Message:
        """Return it as it is."""
        return message

    def write(self, message: Message) -> Message:
        """Return it as it is."""
        return message

    def check(self, message: Message) -> None:
        """Do nothing: there is nothing that it does not take."""


class Fedmsg:
    """Format of fedmsg: the body is an envelope. A field of the name of one of its headers wins.

    :param wall: returns epoch seconds.
    """

    def __init__(self, config: Config, wall: Clock) -> None:
        self._envelopes = Envelopes(config.max_message_size, wall, headers=config.publish_channel is not None)

    def read(self, message: Message) -> Message:
        """Take id, topic and headers out of the envelope. :raises Unusable: there is none."""
        try:
            envelope = read_envelope(message.body)
        except NoEnvelope as error:
            raise Unusable(error.kind, f"the body is {error.what}: {str(error)[:200]}", message) from error
        msg_id, topic, headers = envelope.msg_id, envelope.topic or "", message.headers
        if not msg_id or len(msg_id) > MAX_ID:
            msg_id = message.id
        if not 0 < len(topic.encode()) <= MAX_TOPIC:
            topic = message.topic
        if envelope.headers is not NONE:
            headers = {**headers_of(envelope.headers), **headers}
        return replace(message, id=msg_id, topic=topic, headers=headers)

    def write(self, message: Message) -> Message:
        """Put an envelope around the body. :raises CannotPublish: as :meth:`Envelopes.make`."""
        return replace(message, body=self._envelopes.make(message))

    def check(self, message: Message) -> None:
        """Check it. :raises CannotPublish: it has no envelope, or too long a topic."""
        if len(message.topic.encode(errors="surrogatepass")) > MAX_TOPIC:
            raise CannotPublish(f"a topic in fedmsg's format has {MAX_TOPIC} bytes at most")
        self._envelopes.check(message)


class CloudEvents:
    """Format of CloudEvents. Both modes are read. In binary mode an attribute is a field ``ce-NAME``, and the body is
    the data; in structured mode the body is the whole event.

    :param wall: returns epoch seconds.
    """

    def __init__(self, config: Config, wall: Clock) -> None:
        self._config = config
        self._wall = wall

    def read(self, message: Message) -> Message:
        """Take the attributes. :raises Unusable: it is no event."""
        try:
            event = self._event(message)
        except NoEvent as error:
            raise Unusable(error.kind, str(error), message) from error
        kept = {name: value for name, value in message.headers.items() if not name.startswith(PREFIX)}
        kept.pop(CONTENT_TYPE, None)
        return replace(message, id=event.id, body=event.data, headers=kept | event.headers())

    def _event(self, message: Message) -> CloudEvent:
        headers, kind = message.headers, str(message.headers.get(CONTENT_TYPE, ""))
        if f"{PREFIX}specversion" not in headers or kind.lower().startswith(STRUCTURED):
            return read_structured(message.body)
        attributes = {name[len(PREFIX) :]: value for name, value in headers.items() if name.startswith(PREFIX)}
        if kind:
            attributes["datacontenttype"] = kind
        return CloudEvent(attributes, message.body)

    def write(self, message: Message) -> Message:
        """Make the event. :raises CannotPublish: an attribute is empty, or it is too large."""
        try:
            event = event_of(message, self._config.cloudevents_source, self._wall())
        except NoEvent as error:
            raise CannotPublish(str(error)) from error
        own = {name: value for name, value in message.headers.items() if not name.startswith(PREFIX)}
        if self._config.cloudevents_mode == "binary":
            attributes = dict(event.attributes)
            kind = attributes.pop("datacontenttype", None)
            own |= {PREFIX + name: value for name, value in attributes.items()}
            own |= {} if kind is None else {CONTENT_TYPE: kind}
            return replace(message, headers=own)
        body = write_structured(event)
        if len(body) > self._config.max_message_size:
            raise CannotPublish(f"it has {len(body)} bytes, and max_message_size is {self._config.max_message_size}")
        return replace(message, body=body, headers=own | {CONTENT_TYPE: f"{STRUCTURED}; charset=utf-8"})

    def check(self, message: Message) -> None:
        """Check it. :raises CannotPublish: as :meth:`write`."""
        self.write(message)


class FedoraMessaging:
    """Format of fedora-messaging, whose own library knows no Redis: its headers are fields, which are texts, and get
    their types back. A body that its consumers would refuse is refused.

    :param wall: returns epoch seconds.
    """

    def __init__(self, config: Config, wall: Clock) -> None:
        self._config = config
        self._wall = wall

    def read(self, message: Message) -> Message:
        """Give its headers their types. :raises Unusable: its consumers would refuse it."""
        headers = typed(message.headers)
        try:
            read_object(message.body)
            check_headers(headers)
        except (NoObject, WrongHeader) as error:
            raise Unusable(error.kind, str(error), message) from error
        return replace(message, headers=headers)

    def write(self, message: Message) -> Message:
        """Add the headers that every publisher sends. :raises CannotPublish: its consumers would refuse it."""
        try:
            read_object(message.body)
            headers = headers_to_send(message.headers, self._wall())
        except (NoObject, WrongHeader) as error:
            raise CannotPublish(f"fedora-messaging does not take it: {error}") from error
        return replace(message, topic=with_prefix(message.topic, self._config.topic_prefix), headers=headers)

    def check(self, message: Message) -> None:
        """Check it. :raises CannotPublish: as :meth:`write`."""
        self.write(message)


def format_of(config: Config, wall: Clock) -> Format:
    """Make the configured format. :param wall: returns epoch seconds."""
    if config.format == "fedmsg":
        return Fedmsg(config, wall)
    if config.format == "fedora-messaging":
        return FedoraMessaging(config, wall)
    return CloudEvents(config, wall) if config.format == "cloudevents" else Plain()


def no_place_for(config: Config, headers: Collection[str]) -> str | None:
    """Return why a message loses some of these headers in a channel; ``None``: it has place for all. An entry of a
    stream has, in its fields."""
    if config.format == "fedmsg":
        return None
    lost = headers
    if config.format == "cloudevents":
        lost = [name for name in headers if not name.startswith(PREFIX) and name != CONTENT_TYPE]
    if not lost:
        return None
    return f"a channel's message has no place for headers but in fedmsg's envelope: {', '.join(lost)} would be lost"
