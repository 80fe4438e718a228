"""Headers of messages: their types, their size limits, and the conversion of other values.

A header is a ``str``, an ``int`` of 64 bits, a finite ``float``, or a ``bool``: types that AMQP, STOMP and JSON share,
so that the receiver can compare values with ``==``. A number converted to text would be another value there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from hub import jsontext
from hub.message import HeaderValue, Message
from hub.text import encodable

LONGEST_NAME = 255
"""Bytes of a name in UTF-8, the limit of AMQP 0-9-1."""
MOST_BYTES = 64 << 10
"""Bytes of all names and values of a published message: half of the AMQP frame that has to hold them."""
SMALLEST, LARGEST = -(1 << 63), (1 << 63) - 1
NUMBER_SIZE = 8
JSON_SUFFIX = ".json"
"""Suffix of the name of a header whose value is not of the four types but a table, a list or the like: ``x-death.json``
holds RabbitMQ's ``x-death`` as JSON text."""
EXPIRES = "hubbub.expires"
"""Name of the header with the epoch seconds at which a declared queue drops a message that is not settled."""
_EXACT = {str, int, float, bool}


def overdue(message: Message, now: float) -> bool:
    """Tell whether a message has expired. :param now: epoch seconds."""
    expires = message.headers.get(EXPIRES)
    return expires is not None and not isinstance(expires, (str, bool)) and expires <= now


def checked(headers: Mapping[str, HeaderValue]) -> dict[str, HeaderValue]:
    """Validate and copy the headers of a message to publish.

    :raises TypeError: a name is not text, or a value is of none of the four types.
    :raises ValueError: a number is too large or not finite, a name is empty or too long, a text holds half a surrogate
        pair, or all together are too large.
    """
    found: dict[str, HeaderValue] = {}
    size = 0
    for name, value in headers.items():
        if not isinstance(name, str):
            raise TypeError(f"expected names of headers that are text, not {name!r}: {value!r}")
        length = len(_utf8(name, name))
        if not 0 < length <= LONGEST_NAME:
            raise ValueError(f"expected names of headers of 1 to {LONGEST_NAME} bytes, not {length}: {name[:40]!r}")
        found[name] = exact = _exact(name, value)
        size += length + (len(_utf8(name, exact)) if isinstance(exact, str) else NUMBER_SIZE)
    if size > MOST_BYTES:
        raise ValueError(f"the headers take {size} bytes, more than {MOST_BYTES}")
    return found


def size_of(headers: Mapping[str, HeaderValue]) -> int:
    """Bytes of all names and values with their lengths, an estimate: a character counts as one."""
    texts = sum([len(value) for value in headers.values() if isinstance(value, str)])
    return sum(map(len, headers)) + texts + NUMBER_SIZE * len(headers)


def received(headers: Mapping[str, object]) -> dict[str, HeaderValue]:
    """Convert headers from a bus to the four types. None is lost or refused.

    A value of another type, a number beyond 64 bits, and one that is not finite become JSON text, under the name with
    ``.json`` appended. Times become ISO 8601, bytes base64. Half surrogate pairs become escapes.
    """
    found: dict[str, HeaderValue] = {}
    others: dict[str, object] = {}
    for key, value in headers.items():
        name = encodable(str(key))
        if is_value(value):
            found[name] = encodable(value) if isinstance(value, str) else value  # type: ignore[assignment]
        else:
            others[name] = value
    for name, value in others.items():
        free = name + JSON_SUFFIX
        while free in found:
            free += JSON_SUFFIX
        found[free] = _as_json(value)
    return found


def is_value(value: object) -> bool:
    """True if the value is of one of the four types, and within its bounds."""
    kind = type(value)
    if kind is int:
        return SMALLEST <= value <= LARGEST  # type: ignore[operator]
    return kind is str or kind is bool or (kind is float and math.isfinite(value))  # type: ignore[arg-type]


def are_values(headers: Mapping[str, object]) -> bool:
    """True if all names and values are valid; sizes are not checked."""
    if {*map(type, headers)} != {str}:
        return not headers
    return {*map(type, headers.values())} <= {str, bool} or all(map(is_value, headers.values()))


def _exact(name: str, value: object) -> HeaderValue:
    """Convert a value of a subclass of the four types (an enumeration) to the plain value."""
    if not isinstance(value, (str, int, float)):
        raise TypeError(f"expected headers of text, numbers, true or false, not {name!r}: {value!r}")
    if type(value) not in _EXACT:
        value = str.__str__(value) if isinstance(value, str) else _plain_number(value)
    if not is_value(value):
        raise ValueError(f"expected whole numbers of 64 bits, or finite ones, not {name!r}: {str(value)[:40]}")
    return value


def _plain_number(value: float) -> float:
    return int.__int__(value) if isinstance(value, int) else float.__float__(value)


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the header {encodable(name)[:40]!r} holds half a surrogate pair") from error


def _as_json(value: object) -> str:
    try:
        return jsontext.write(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError):  # no backend should give such a value
        return json.dumps(repr(value))
