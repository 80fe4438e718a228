"""Properties and headers of AMQP 0-9-1, and the headers of the hub's messages. Needs the extra ``amqp``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.errors import CannotPublish
from hub.headers import received, size_of
from hub.message import NO_HEADERS, HeaderValue, Message

TEXTS = {
    "content-type": "content_type",
    "content-encoding": "content_encoding",
    "correlation-id": "correlation_id",
    "reply-to": "reply_to",
    "type": "type",
    "app-id": "app_id",
}
"""Headers by the names that RabbitMQ gives them in STOMP, and the properties that have them."""
NUMBERS = {"priority": "priority", "timestamp": "timestamp"}
EXPIRATION = "expiration"
"""Milliseconds as text. On another text RabbitMQ ends the channel."""
_READ = (*TEXTS.items(), *NUMBERS.items(), (EXPIRATION, EXPIRATION), ("user-id", "user_id"))
HIGHEST = {"priority": 255, "timestamp": (1 << 63) - 1, EXPIRATION: (1 << 32) - 1}
REDELIVERED = "redelivered"
FIELD, OTHERS, FRAME = 10, 4096, 20
"""Bytes at most: of a header beside its name and value, of all properties that are no headers, and of the frame around
them."""
_NOT_SENT = {REDELIVERED, "user-id", "CC", "BCC", "x-death"}
"""Headers that a message does not take along: RabbitMQ reads them itself, ends the channel if they are no lists
(``CC``, ``BCC``) or another's name (``user-id``), and takes a message with an ``x-death`` for one in a circle."""


def headers_of(properties: Any, redelivered: bool) -> Mapping[str, HeaderValue]:
    """Headers of a received message. One of the publisher's own wins over a property of its name."""
    values = vars(properties)
    found: dict[str, Any] = {name: values[field] for name, field in _READ if values[field] is not None}
    if redelivered:
        found[REDELIVERED] = True
    odd = False
    for name, value in (properties.headers or {}).items():
        kind = type(value)
        if kind is str or kind is bool or kind is int:
            found[name] = value  # pika has decoded it, so it has 64 bits, and no half surrogate pairs
        else:
            found[name], odd = _plain(value), True
    return received(found) if odd else found or NO_HEADERS


def _plain(value: Any) -> Any:
    """The value without pika's own class of integers, whose text is ``1L``."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def properties_of(message: Message, persistent: bool, headers: Mapping[str, HeaderValue] | None = None) -> Any:
    """Properties of a message to publish. :param headers: others than the message's.

    :raises CannotPublish: a header that is a property has a value that this can't have.
    """
    from pika import BasicProperties

    given = dict(message.headers if headers is None else headers)
    fields: dict[str, Any] = {}
    for name in TEXTS.keys() & given.keys():
        fields[TEXTS[name]] = _short(name, given.pop(name))
    for name in NUMBERS.keys() & given.keys():
        fields[NUMBERS[name]] = _number(name, given.pop(name))
    if EXPIRATION in given:
        fields[EXPIRATION] = str(_number(EXPIRATION, given.pop(EXPIRATION)))
    kept = {name: value for name, value in given.items() if name not in _NOT_SENT}
    fields["message_id"] = _short("message_id", message.id) or None
    fields.update(delivery_mode=2 if persistent else 1, headers=kept or None)
    if any(isinstance(value, float) for value in kept.values()):
        from hub.backends.amqp.float_headers import FloatProperties

        return FloatProperties(**fields)
    return BasicProperties(**fields)


def check_frame(properties: Any, frame_max: int) -> None:
    """Check that the properties of a message have room in the one frame that AMQP gives them: RabbitMQ ends the
    connection on a larger one. :param frame_max: bytes.

    :raises CannotPublish: they have not.
    """
    headers = properties.headers or {}
    if 4 * size_of(headers) + FIELD * len(headers) + OTHERS <= frame_max:
        return
    size = sum(map(len, properties.encode())) + FRAME
    if size > frame_max:
        raise CannotPublish(f"its headers need a frame of {size} bytes, and the broker takes {frame_max} at most")


def _short(name: str, value: HeaderValue) -> str:
    text = str(value)
    if len(text.encode(errors="surrogatepass")) > 255:
        raise CannotPublish(f"the header {name!r} has more than 255 bytes, and is a property of AMQP")
    return text


def _number(name: str, value: HeaderValue) -> int:
    try:
        number = int(value)
    except (ValueError, OverflowError):
        number = -1
    if not 0 <= number <= HIGHEST[name]:
        raise CannotPublish(f"the header {name!r} is a property of AMQP, a number from 0 to {HIGHEST[name]}")
    return number
