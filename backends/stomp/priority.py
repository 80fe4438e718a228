"""The ``priority`` header of SEND: a queue delivers messages of a higher priority first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.backends.stomp.destination import Kind, shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of
from hub.message import DEFAULT_PRIORITY, PRIORITIES, HeaderValue, Message

PRIORITY = "priority"


def check(headers: Mapping[str, str], kind: Kind) -> None:
    """Check the header of a SEND to a queue. A topic has no order by priority, and passes on what stands there.

    :raises ProtocolError: it is no number.
    """
    text = headers.get(PRIORITY)
    if text is not None and kind is not Kind.TOPIC and number_of(text) is None:
        raise ProtocolError(f"{PRIORITY} is {shown(text)}: expected a number from 0 to {max(PRIORITIES)}")


def priorities(messages: Sequence[Message]) -> Sequence[int]:
    """The priorities of messages for a queue; empty: none of them names one."""
    if not any(PRIORITY in message.headers for message in messages):
        return ()
    return [_priority(message.headers.get(PRIORITY, DEFAULT_PRIORITY)) for message in messages]


def _priority(value: HeaderValue) -> int:
    """The priority that a header names. A higher one than the highest is that one, as in ActiveMQ and RabbitMQ. The
    header of a message that the hub's own consumers publish may be anything, and then names none."""
    number = number_of(value) if isinstance(value, str) else int(value)
    return DEFAULT_PRIORITY if number is None or number < 0 else min(number, max(PRIORITIES))
