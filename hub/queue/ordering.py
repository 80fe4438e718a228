"""Which messages must keep their order among each other."""

from __future__ import annotations

from collections.abc import Hashable

from hub.configuration.schema import ConsumerSettings
from hub.errors import NotJSON
from hub.message import Message
from hub.queue.waiting import LaneOf


def lane_of(settings: ConsumerSettings) -> LaneOf | None:
    """The lane of each message, as ``ordering`` and ``order_by`` say; ``None``: there are no lanes.

    Strict order is one lane for all. With ``order_by``, messages that lack the field share a lane.
    """
    if settings.ordering == "strict":
        return _one_lane
    if settings.order_by is None:
        return None
    kind, _, name = settings.order_by.partition(":")
    if kind == "header":
        return lambda message: message.headers.get(name)
    path = name.split(".")
    return lambda message: _field(message, path)


def _one_lane(_message: Message) -> Hashable:
    return None


def _field(message: Message, path: list[str]) -> Hashable:
    try:
        value = message.json()
    except NotJSON:
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, (str, int, float)) else repr(value)
