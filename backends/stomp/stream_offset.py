"""Start of a subscription in the hub's log: the header ``x-stream-offset`` of SUBSCRIBE, as RabbitMQ has it. Pure.

``first``, ``last``, ``next``, ``timestamp=SECONDS`` (since 1970), ``offset=NUMBER``, or the number alone, as MESSAGE
frames have it.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.backends.stomp.destination import Kind, shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of
from hub.backends.stomp.message_frame import OFFSET
from hub.replays import ReplayStart

EXPECTED = "expected first, last, next, timestamp=SECONDS, or the number of a message"
_DIGITS = 18
LATEST = 100_000_000_000
"""Seconds since 1970 in the year 5138; milliseconds exceed it since 1973."""
SKEW = 60.0
"""Seconds by which the clock of a client may be ahead."""


def parse(headers: Mapping[str, str], kind: Kind, durable: bool, now: float) -> ReplayStart | None:
    """Parse the header. :returns: ``None``: the subscription is not for the log.

    :param durable: whether it is a durable topic subscription. :param now: epoch seconds.
    :raises ProtocolError: it can't be understood, or such a subscription has no place in the log.
    """
    text = headers.get(OFFSET)
    if text is None:
        return None
    start = _parse(text, now)
    if kind is Kind.TOPIC and not durable:
        return start
    if start.place != "next":
        why = "a durable subscription keeps its own place" if durable else "only topics have a history"
        raise ProtocolError(f"{OFFSET} is {shown(text)}, and {why}: leave it out")
    return None


def _parse(text: str, now: float) -> ReplayStart:
    match text:
        case "first" | "last" | "next":
            return ReplayStart(text)
    name, equals, digits = text.partition("=")
    number = number_of(digits if equals else text, _DIGITS)
    if number is not None and name == "timestamp":
        return _since(number, now)
    if number is not None and (not equals or name == "offset"):
        return ReplayStart("offset", number)
    raise ProtocolError(f"{OFFSET} is {shown(text)}: {EXPECTED}")


def _since(seconds: int, now: float) -> ReplayStart:
    if seconds > LATEST:
        raise ProtocolError(
            f"{OFFSET} is timestamp={seconds}, which looks like milliseconds: expected seconds since 1970"
        )
    if seconds > now + SKEW:
        ahead = f"timestamp={seconds}, which is {seconds - now:.0f} s in the future"
        raise ProtocolError(f"{OFFSET} is {ahead}: expected a time that has been, or 'next' for what comes from now on")
    return ReplayStart("next") if seconds > now else ReplayStart("time", seconds)
