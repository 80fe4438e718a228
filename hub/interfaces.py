"""What the rooms of the hub ask of each other, and of plugins. Nothing here does anything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

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
        """A message whose body can't be used: counted and kept for a while, cut, and delivered to nobody."""


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


class Reconfigurable(Protocol):
    """What a backend may offer beside itself: a reload that changes only some of its settings need not restart it."""

    def reconfigure(self, config: Any) -> bool:
        """Go on with these settings. ``False``: they can't be changed while it runs; nothing was changed.

        :raises HubError: one that was made anew could not start with them either, and why (an address in use). Nothing
            was changed; the reload tells, and the old settings stay in force.
        """


class Releasing(Protocol):
    """What a backend or a server may offer beside itself: a child process that a consumer forks has its file
    descriptors too, and would keep its port, and its connections, for as long as it lives. What the reactor reads from
    or writes to is let go of anyway."""

    def release(self, detach: Callable[[int], None]) -> None:
        """In a child that was just forked: call ``detach`` with each file descriptor. Nothing may be sent."""


class Checking(Protocol):
    """What a backend may offer beside itself: whoever publishes is told at once of what could never be sent."""

    def check(self, message: Message) -> None:
        """In any thread. :raises CannotPublish: ``publish`` would raise it, whenever it was asked."""


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


class Span(Protocol):
    """One call of a consumer, as a tracer sees it."""

    def end(self, error: BaseException | None) -> None:
        """The call returned, or raised that. In the thread that began it."""


class Tracer(Protocol):
    """Told of each call of a consumer, in the worker's thread, so it must not wait for anything. An exporter that
    traces has a method ``tracer()`` that returns one, or ``None``; it is asked once, when the exporter is made."""

    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> Span:
        """The consumer is about to be given these: one, or a batch. ``attempt``: 1 for the first."""

    def headers(self) -> Mapping[str, str]:
        """What to send a message out with from this thread now: ``traceparent`` and ``tracestate``, or nothing."""


@dataclass(frozen=True)
class ExporterContext:
    """What an exporter is given when it is made."""

    name: str
    config: Any
    interval: float
    """Seconds between two snapshots."""
    log: logging.LoggerAdapter[logging.Logger]


Access = Literal["numbers", "contents", "actions"]
"""What a verb shows or does: counts and states; what messages and threads hold; changes."""


class Guard(Protocol):
    """Decides who may use a verb."""

    def who(self, request: Any) -> str:
        """Who asks, let in or not, as far as that can be known; for the audit log."""

    def admit(self, request: Any, access: Access) -> str:
        """Who asks, for the audit log. :raises Forbidden: not this one."""


class Auditor(Protocol):
    """Writes down who did what."""

    def note(self, who: str, action: str, order: Any, outcome: str) -> None:
        """One action. :param order: a ``msgspec.Struct`` of what was asked for, or ``None``."""

    def read(self, who: str, action: str) -> None:
        """Somebody read contents. Of many alike a few are written, with their number."""


@dataclass(frozen=True)
class ServerContext:
    """What a server is given when it is made."""

    name: str
    config: Any
    reactor: Any
    log: logging.LoggerAdapter[logging.Logger]
    wall: Clock
    """Epoch seconds."""
    state_dir: Path
    snapshot: Callable[[], Mapping[str, Any]]
    """The status of everything; in the reactor's thread."""
    api: Callable[[Guard], Any]
    """All verbs as one resource of ``twisted.web``, behind a guard. Its status is whole, with the texts of errors: who
    shows it to strangers leaves these out, as ``hub.monitoring.web`` does."""
    audit: Auditor
    """For what the server does beside the verbs, which note by themselves."""


class Server(Protocol):
    """Lets people and programs at the hub, such as the web page. Lives in the reactor's thread."""

    Config: type[Settings]

    def __init__(self, context: ServerContext) -> None: ...

    def start(self) -> Deferred[None] | None:
        """Begin to listen. :raises HubError: it can't, and why (an address in use)."""

    def stop(self) -> Deferred[None] | None:
        """Listen no more, and let go of who is connected."""

    def status(self) -> Mapping[str, Any]:
        """JSON-able, for the status: at least ``state``; counts only grow."""
