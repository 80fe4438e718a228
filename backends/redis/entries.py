"""Messages of the hub, and the fields of a stream's entry that carry them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hub import jsontext
from hub.backends.cloudevents import NoEvent, event_of, read_structured, write_structured
from hub.backends.envelopes import Envelopes
from hub.backends.fedmsg import MAX_ID, MAX_TOPIC, NONE, NoEnvelope, headers_of, read
from hub.backends.redis.settings import PLACEHOLDER, Config
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.headers import received
from hub.interfaces import Clock
from hub.message import NO_HEADERS, HeaderValue, Message

BODY, TOPIC, ID = "body", "topic", "id"
"""Names of the fields that are no headers."""
REDELIVERED = "redelivered"
"""Header, true, of a message that the server had given to somebody before."""
Fields = Sequence[bytes]
"""Names and values of an entry, in turn."""


def message_of(
    stream: str, entry_id: bytes, fields: Fields, config: Config, now: float, backend: str, again: bool = False
) -> Message:
    """Make a message of an entry. Where it has no field ``body``, that is all its fields, as a JSON object.

    :param again: somebody had it before. :raises Unusable: it is too large, or has no envelope where one is expected.
    """
    own_id = f"{stream}/{entry_id.decode()}"
    headers: dict[str, HeaderValue] = {}
    body, topic, msg_id = None, stream, own_id
    others: dict[str, object] = {}
    pairs = iter(fields)
    for name, value in zip(pairs, pairs, strict=True):
        if name == b"body":
            body = value
        elif name == b"topic":
            topic = value.decode("utf-8", "replace") or stream
        elif name == b"id":
            msg_id = value.decode("utf-8", "replace") or own_id
        else:
            others[name.decode("utf-8", "replace")] = _text(value)
    if body is None:
        body, others = jsontext.write(received(others)), {}
    if others:
        headers = received(others)
    if again:
        headers[REDELIVERED] = True
    message = Message(msg_id, topic, body, headers or NO_HEADERS, now, backend)
    if len(body) > config.max_message_size:
        reason = f"the body has {len(body)} bytes, and max_message_size is {config.max_message_size}"
        raise Unusable("oversize", reason, message)
    if config.format == "fedmsg":
        return of_envelope(message)
    return of_event(message) if config.format == "cloudevents" else message


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def of_envelope(message: Message) -> Message:
    """The message with what its envelope says: id, topic and headers. A field of the same name wins.

    :raises Unusable: there is none.
    """
    try:
        envelope = read(message.body)
    except NoEnvelope as error:
        raise Unusable(error.kind, f"the body is {error.what}: {str(error)[:200]}", message) from error
    msg_id, topic, headers = envelope.msg_id, envelope.topic or "", message.headers
    if not msg_id or len(msg_id) > MAX_ID:
        msg_id = message.id
    if not 0 < len(topic.encode()) <= MAX_TOPIC:
        topic = message.topic
    if envelope.headers is not NONE:
        headers = {**headers_of(envelope.headers), **headers}
    return Message(msg_id, topic, message.body, headers, message.received_at, message.backend)


def of_event(message: Message) -> Message:
    """The message of the event that is its body, in CloudEvents' structured mode. :raises Unusable: it is none."""
    try:
        event = read_structured(message.body)
    except NoEvent as error:
        raise Unusable(error.kind, str(error), message) from error
    headers = {**message.headers, **event.headers()}
    return Message(event.id, message.topic, event.data, headers, message.received_at, message.backend)


class Events:
    """Maker of events around published bodies. :param wall: returns epoch seconds."""

    def __init__(self, source: str, most: int, wall: Clock) -> None:
        self._source = source
        self._most = most
        self._wall = wall

    def make(self, message: Message) -> bytes:
        """Make the event of a message. :raises CannotPublish: an attribute is empty, or it is too large."""
        try:
            body = write_structured(event_of(message, self._source, self._wall()))
        except NoEvent as error:
            raise CannotPublish(str(error)) from error
        if len(body) > self._most:
            raise CannotPublish(f"it has {len(body)} bytes, and max_message_size is {self._most}")
        return body

    def check(self, message: Message) -> None:
        """Check that a message has an event. :raises CannotPublish: as :meth:`make`."""
        self.make(message)


def maker_of(config: Config, wall: Clock) -> Envelopes | Events | None:
    """Make the maker of published envelopes or events; ``None``: bodies are published as they are.

    A stream's entry has the headers as fields; a channel's message has nowhere to put them but the envelope.
    """
    if config.format == "cloudevents":
        return Events(config.cloudevents_source, config.max_message_size, wall)
    if config.format == "fedmsg":
        return Envelopes(config.max_message_size, wall, headers=config.publish_channel is not None)
    return None


def fields_of(message: Message, body: bytes) -> list[str | bytes]:
    """Fields of the entry of a message. Its id is always among them: by it an entry is found again whose answer was
    lost. A header of the name of another field is left out."""
    fields: list[str | bytes] = [ID, message.id, TOPIC, message.topic, BODY, body]
    for name, value in message.headers.items():
        if name not in (ID, TOPIC, BODY, REDELIVERED):
            fields += [name, value if isinstance(value, str) else jsontext.write(value)]
    return fields


def place_of(template: str, topic: str) -> str:
    """The stream or channel of a topic."""
    return template.replace(PLACEHOLDER, topic)


def check(message: Message, config: Config) -> None:
    """Check that a message can be sent. :raises CannotPublish: it never can."""
    if config.publish is None and config.publish_channel is None:
        raise CannotPublish("the backend has neither 'publish' nor 'publish_channel'")
    if not message.topic:
        raise CannotPublish("a message without a topic has no place to go to")
    try:
        for text in (message.id, message.topic, *message.headers, *map(str, message.headers.values())):
            text.encode()
    except UnicodeEncodeError as error:
        raise CannotPublish("its id, topic or a header holds half a surrogate pair") from error
    if config.format == "fedmsg" and len(message.topic.encode()) > MAX_TOPIC:
        raise CannotPublish(f"a topic in fedmsg's format has {MAX_TOPIC} bytes at most")
    if len(message.body) > config.max_message_size:
        raise CannotPublish(f"it has {len(message.body)} bytes, and max_message_size is {config.max_message_size}")
