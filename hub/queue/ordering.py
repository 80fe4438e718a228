"""The key of a message: messages with equal keys keep their order."""

from __future__ import annotations

import math
from collections.abc import Hashable

from hub.errors import NotJSON
from hub.message import Message
from hub.queue.policy import KeyOf


def key_of(ordering: str, order_by: str | None) -> KeyOf | None:
    """The key function for the settings ``ordering`` and ``order_by``; ``None``: messages have no key.

    Strict order is one key for all. With ``order_by``, messages that lack the field share a key.
    """
    if ordering == "strict":
        return _one_key
    if order_by is None:
        return None
    kind, _, name = order_by.partition(":")
    if kind == "header":
        return lambda message: message.headers.get(name)
    path = name.split(".")
    return lambda message: _field(message, path)


def safe_key(key_of: KeyOf | None, message: Message | None) -> Hashable:
    """The key of a message; ``None`` if the key function fails, since an error here would block the queue."""
    try:
        return key_of(message) if key_of and message else None
    except Exception:  # noqa: BLE001 - see above
        return None


def _one_key(_message: Message) -> Hashable:
    return None


def _field(message: Message, path: list[str]) -> Hashable:
    try:
        value = message.json()
    except NotJSON:
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, float) and math.isnan(value):
        return "NaN"  # NaN is unequal to itself: each would be a new key
    return value if isinstance(value, (str, int, float)) else repr(value)
