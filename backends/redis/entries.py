"""Messages of the hub, and the fields of a stream's entry that carry them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hub import jsontext
from hub.backends.bounds import excess
from hub.backends.redis.formats import Format
from hub.backends.redis.settings import PLACEHOLDER, Config
from hub.backends.unusable import Unusable
from hub.errors import CannotPublish
from hub.headers import received
from hub.message import NO_HEADERS, HeaderValue, Message

BODY, TOPIC, ID = "body", "topic", "id"
"""Names of the fields that are no headers."""
REDELIVERED = "redelivered"
"""Header, true, of a message that the server had given to somebody before."""
Fields = Sequence[bytes]
"""Names and values of an entry, in turn."""


def message_of(
    stream: str,
    entry_id: bytes,
    fields: Fields,
    config: Config,
    format: Format,
    now: float,
    backend: str,
    again: bool = False,
) -> Message:
    """Make a message of an entry. Where it has no field ``body``, that is all its fields, as a JSON object.

    :param again: somebody had it before. :raises Unusable: it is too large, or the format refuses it, or its topic, id
        or headers are too large.
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
    return _bounded(format.read(message), own_id)


def _bounded(message: Message, own_id: str) -> Message:
    """The message. :param own_id: made of the stream's name, and as long as that. :raises Unusable: it is too large."""
    beyond = excess(message.topic, "" if message.id == own_id else message.id, message.headers)
    if beyond is not None:
        raise Unusable(*beyond, message)
    return message


def body_of(fields: Fields) -> bytes:
    """The body of an entry, to show it; empty: it has none."""
    pairs = zip(fields[::2], fields[1::2], strict=False)
    return next((value for name, value in pairs if name == b"body"), b"")


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def fields_of(message: Message) -> list[str | bytes]:
    """Fields of the entry of a message, as the format has made it. Its id is always among them: by it an entry is found
    again whose answer was lost. A header of the name of another field is left out."""
    fields: list[str | bytes] = [ID, message.id, TOPIC, message.topic, BODY, message.body]
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
    beyond = excess(message.topic, message.id, message.headers)
    if beyond is not None:
        raise CannotPublish(f"whoever receives it would refuse it: {beyond[1]}")
    if len(message.body) > config.max_message_size:
        raise CannotPublish(f"it has {len(message.body)} bytes, and max_message_size is {config.max_message_size}")
