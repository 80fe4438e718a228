"""What the rooms of the hub ask of each other, and of plugins. Nothing here does anything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from hub.message import Message
from hub.settings import Settings

Clock = Callable[[], float]
"""Seconds. Either monotonic (delays, rates) or the epoch's (what people read); each use says which."""


class Intake(Protocol):
    """Where a backend puts what it received. Called in the reactor's thread only."""

    def receive(self, messages: list[Message], tokens: Sequence[Any] = ()) -> None:
        """One batch, in the bus's order: all that one turn of the backend's reader brought.

        :param tokens: what ``Backend.confirm`` is later called with; empty where the sender can't be told.
        """

    def refuse(self, message: Message, reason: str) -> None:
        """A message whose body can't be used: buried in each queue that wants its topic, delivered to none."""


@dataclass(frozen=True)
class BackendContext:
    """What a backend is given when it is made."""

    name: str
    config: Any
    """An instance of the backend's own ``Config``."""
    reactor: Any
    log: logging.LoggerAdapter[logging.Logger]
    wall: Clock
    """Epoch seconds, for ``Message.received_at``."""


class Backend(Protocol):
    """A connection to a bus. Lives in the reactor's thread: every method is called there."""

    Config: type[Settings]
    confirms: bool
    """Whether the sender can be told that a message is safe with us."""
    holds_back: bool
    """Whether the bus keeps what we do not read (a broker does; a ZeroMQ publisher drops it)."""

    def __init__(self, context: BackendContext) -> None: ...

    def start(self, intake: Intake) -> Deferred[None] | None:
        """Begin to receive. :raises HubError: it can't, and why (an address in use, a key file missing)."""

    def subscribe(self, patterns: Collection[str]) -> None:
        """The topic patterns that some consumer wants, whole; called before ``start`` and at each change."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """These messages are safe with us: tell the sender."""

    def publish(self, message: Message) -> None:
        """Send it out. :raises CannotPublish: there is nowhere to send it, or the body is not of the bus's format."""

    def pause(self) -> None:
        """Receive no more until ``resume``; idempotent."""

    def resume(self) -> None:
        """Go on where ``pause`` stopped; idempotent."""

    def stop(self) -> Deferred[None] | None:
        """Hand over what is held already, then close."""

    def status(self) -> Mapping[str, Any]:
        """JSON-able, for the status: at least ``state``, ``received``, ``bytes``, ``malformed``; counts only grow."""


class Sender(Protocol):
    """A publisher outside the hub, for the command line's ``publish`` and ``feed``. Blocking; no reactor."""

    def wait(self, timeout: float) -> bool:
        """Whether somebody listens, within that many seconds."""

    def publish(self, message: Message) -> None:
        """Send in the bus's own format (an envelope around the body, where it has one)."""

    def forward(self, topic: str, body: bytes) -> None:
        """Send a recorded message, byte for byte."""

    def close(self) -> None:
        """Send what is buffered (a bounded while), then close."""


class BusTools(Protocol):
    """What a backend class offers beside itself so that the command line can be a peer on its bus."""

    @classmethod
    def sender(cls, config: Any) -> Sender:
        """A publisher that the hub with this configuration would hear. :raises Unavailable: none can be had."""

    @classmethod
    def listener(cls, config: Any, patterns: Sequence[str]) -> Iterator[Message]:
        """Messages as they come, forever, straight from the bus. :raises Unavailable: it can't be listened to."""


class Exporter(Protocol):
    """Sends the hub's numbers somewhere. Has a thread of its own: slow or failing, it never holds up the hub."""

    Config: type[Settings]

    def __init__(self, context: ExporterContext) -> None: ...

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot, the same as the status shows. What it raises is logged and counted."""

    def close(self) -> None:
        """The last call: no snapshot comes after it."""


@dataclass(frozen=True)
class ExporterContext:
    """What an exporter is given when it is made."""

    name: str
    config: Any
    interval: float
    """Seconds between two snapshots."""
    log: logging.LoggerAdapter[logging.Logger]
