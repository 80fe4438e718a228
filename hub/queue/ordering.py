"""Which messages must keep their order among each other."""

from __future__ import annotations

import math
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


def lane(lane_of: LaneOf | None, message: Message | None) -> Hashable:
    """Its lane. Messages whose lane can't be told share one: an error here would leave the queue to nobody."""
    try:
        return lane_of(message) if lane_of and message else None
    except Exception:  # noqa: BLE001 - see above
        return None


def _one_lane(_message: Message) -> Hashable:
    return None


def _field(message: Message, path: list[str]) -> Hashable:
    try:
        value = message.json()
    except NotJSON:
        return None
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, float) and math.isnan(value):
        return "NaN"  # it does not equal itself, so that each would be a lane of its own
    return value if isinstance(value, (str, int, float)) else repr(value)
