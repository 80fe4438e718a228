"""Lifetime of messages: the headers by which a message comes later, or not at all any more.

``AMQ_SCHEDULED_DELAY`` (ActiveMQ): milliseconds. ``expires`` (ActiveMQ): milliseconds since 1970. ``expiration``
(RabbitMQ): milliseconds after it was received. 0 is: never.

The hub keeps what is put into a queue until its delay is over. A message to a topic goes to all who want that at once;
the server delays it for each of its own subscribers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of
from hub.backends.stomp.message_frame import put_alone
from hub.declarations import Taken
from hub.interfaces import Clock
from hub.message import HeaderValue, Message

DELAY, EXPIRES, EXPIRATION = "AMQ_SCHEDULED_DELAY", "expires", "expiration"
OTHER_SCHEDULES = ("AMQ_SCHEDULED_PERIOD", "AMQ_SCHEDULED_REPEAT", "AMQ_SCHEDULED_CRON")
"""Headers by which ActiveMQ sends a message again and again."""
_NAMES = frozenset((DELAY, EXPIRES, EXPIRATION))
_DIGITS = 15
"""Digits of a number of milliseconds: 30,000 years."""


def check(headers: Mapping[str, str]) -> None:
    """Check the headers of a SEND. :raises ProtocolError: one can't be understood, or asks for what there is not."""
    for name in OTHER_SCHEDULES:
        if name in headers:
            raise ProtocolError(f"{name} is not supported: a message is sent once, at most after {DELAY}")
    for name in _NAMES:
        if (text := headers.get(name)) is not None and _milliseconds(text) is None:
            raise ProtocolError(f"{name} is {shown(text)}: expected a number of milliseconds")


class Lifetime:
    """Decides when messages are delivered.

    :param wall: epoch seconds. :ivar expired: messages that had expired; only grows.
    """

    def __init__(self, wall: Clock) -> None:
        self.expired = 0
        self._wall = wall

    def concerns(self, taken: Taken) -> bool:
        """Tell, fast, whether a message has such a header."""
        return not _NAMES.isdisjoint(taken.current.headers)

    def delays(self, messages: Sequence[Message]) -> Sequence[float]:
        """Seconds from now for which the hub keeps each message that is put into a queue; empty: none has a delay."""
        if not any(DELAY in message.headers for message in messages):
            return ()
        now = self._wall()
        return [_left(message, now) for message in messages]

    def deliveries(self, taken: Taken) -> int:
        """Number of earlier deliveries of a message. If the server has delayed it, one of its attempts was none."""
        delayed = taken.attempts > 0 and DELAY in taken.current.headers and not put_alone(taken.current)
        return taken.attempts - delayed

    def seconds_to_wait(self, message: Message, tried: bool) -> float | None:
        """Seconds until a message may be delivered, 0 if now; ``None``: it has expired.

        :param tried: whether it has waited, or was delivered, before.
        """
        now, headers = self._wall(), message.headers
        expires = _milliseconds(headers.get(EXPIRES, 0)) or 0
        after = _milliseconds(headers.get(EXPIRATION, 0)) or 0
        if (expires and now * 1000 >= expires) or (after and (now - message.received_at) * 1000 >= after):
            return None
        # The hub has kept what was put into a queue until now.
        return 0.0 if tried or put_alone(message) else _left(message, now)


def _left(message: Message, now: float) -> float:
    """Seconds that are left of a message's delay."""
    delay = _milliseconds(message.headers.get(DELAY, 0)) or 0
    return max(0.0, message.received_at + delay / 1000 - now) if delay else 0.0


def _milliseconds(value: HeaderValue) -> int | None:
    """A header's number; ``None``: it is none."""
    if isinstance(value, str):
        return number_of(value, _DIGITS)
    return int(value) if 0 <= value < 10**_DIGITS else None
