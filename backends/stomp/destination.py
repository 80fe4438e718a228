"""Destinations: the names in the ``destination`` header, and what they stand for in the hub. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from hub import queue_name
from hub.backends.stomp.frame import ProtocolError

LONGEST = 255
"""Characters of a topic, as in AMQP 0-9-1, and of the name of a temporary queue."""
EXPECTED = "expected /topic/a.b, /queue/NAME, /queue/DLQ.NAME or /temp-queue/NAME"
_WILDCARDS = {"*", "#", ">"}
_SHOWN = 60


class Kind(StrEnum):
    """Kinds of destinations; the value is the prefix of the header.

    A topic goes to all its subscribers, a queue keeps each message for one of them. ``DEAD`` are the dead letters of a
    queue. ``TEMPORARY`` is a queue of one connection under the name that it gave; ``REPLY`` is the same queue under the
    name by which others send to it.
    """

    TOPIC = "/topic/"
    QUEUE = "/queue/"
    DEAD = "/queue/DLQ."
    TEMPORARY = "/temp-queue/"
    REPLY = "/reply-queue/"


class Destination(NamedTuple):
    """A destination.

    :ivar name: without the prefix: a topic or pattern, or the name of a queue.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}{self.name}"

    @property
    def pattern(self) -> str:
        """The hub's pattern for this topic: ``>`` at the end, ActiveMQ's word for any rest, is ``#``."""
        name = self.name
        if name == ">" or name.endswith(".>"):
            return f"{name[:-1]}#"
        return name

    @property
    def one_word(self) -> bool:
        """True for the topic ``*``: topics of one word. The hub's pattern ``*`` alone matches all topics."""
        return self.name == "*"


def parse(text: str) -> Destination:
    """Parse a destination. :raises ProtocolError: it is none; the text says what is expected."""
    for kind in (Kind.TOPIC, Kind.DEAD, Kind.QUEUE, Kind.TEMPORARY, Kind.REPLY):
        if text.startswith(kind):
            break
    else:
        raise ProtocolError(f"unknown destination {shown(text)}: {EXPECTED}")
    name = text.removeprefix(kind)
    if not name:
        raise ProtocolError(f"destination {shown(text)} has no name: {EXPECTED}")
    if kind in (Kind.QUEUE, Kind.DEAD) and (found := queue_name.flaw(name)):
        raise ProtocolError(f"destination {shown(text)} can't be: the name of the queue {found}")
    if len(name) > LONGEST:
        raise ProtocolError(f"destination {shown(text)} is too long: at most {LONGEST} characters behind {kind}")
    if not name.isprintable() or any(map(str.isspace, name)):
        raise ProtocolError(f"destination {shown(text)} has a space or a character that can't be printed")
    if kind is not Kind.TOPIC and "/" in name:
        raise ProtocolError(f"destination {shown(text)} has a '/' in its name")
    return Destination(kind, name)


def to_send(text: str) -> Destination:
    """Parse the destination of a SEND. :raises ProtocolError: it is none that can be sent to."""
    found = parse(text)
    if found.kind is Kind.TOPIC and not _WILDCARDS.isdisjoint(found.name.split(".")):
        raise ProtocolError(f"destination {shown(text)} has a wildcard: those are for SUBSCRIBE")
    if found.kind is Kind.DEAD:
        raise ProtocolError(f"destination {shown(text)} are dead letters: the server alone puts messages there")
    return found


def to_subscribe(text: str) -> Destination:
    """Parse the destination of a SUBSCRIBE. :raises ProtocolError: it is none that can be subscribed to."""
    found = parse(text)
    if found.kind is Kind.TOPIC and ">" in found.name.split(".")[:-1]:
        raise ProtocolError(f"destination {shown(text)} has '>' within: it stands for any rest, at the end")
    if found.kind is Kind.REPLY:
        raise ProtocolError(f"destination {shown(text)} is for SEND: subscribe to the /temp-queue/ that was replied to")
    return found


def shown(text: str) -> str:
    """Quote some of what a client sent, for an error."""
    return repr(text[:_SHOWN]) + ("..." if len(text) > _SHOWN else "")
