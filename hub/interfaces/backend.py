"""Backends: connections to buses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from twisted.internet.defer import Deferred

from hub.declarations import QueueDeclarations
from hub.interfaces.clock import Clock
from hub.interfaces.intake import Intake
from hub.interfaces.subscription import Sink, Subscription
from hub.job_queues import JobQueues
from hub.message import Message
from hub.replays import ReplaySource
from hub.settings import Settings


@dataclass(frozen=True)
class BackendContext:
    """The context that a backend is made with."""

    name: str
    config: Any
    """An instance of the backend's own ``Config``."""
    reactor: Any
    log: logging.LoggerAdapter[logging.Logger]
    wall: Clock
    """Epoch seconds, for ``Message.received_at``."""
    subscribe: Callable[[Iterable[str], Sink], Subscription]
    """Subscribes a sink to topic patterns, for a backend with subscribers of its own. Messages come from all buses,
    without a queue and without a guarantee. The buses are subscribed to the patterns."""
    queues: QueueDeclarations
    """Declares queues that the backend fills and reads itself, for clients of its own."""
    replays: ReplaySource | None = None
    """Reads the hub's log for clients of the backend; ``None``: the hub keeps no history (``keep``)."""
    jobs: JobQueues | None = None
    """Queues of jobs in the hub's databases, ``[jobs.NAME]``; ``None``: it is not a hub's backend."""
    settled: bool = False
    """True if messages are confirmed after the work (``confirm = "settled"``), and so out of order."""
    state_dir: Path = Path()
    """The hub's state directory: no two hubs of a machine have the same."""


class Backend(Protocol):
    """A backend, the connection to a bus. All methods are called in the reactor's thread."""

    Config: type[Settings]
    confirms: bool
    """True if senders expect a confirmation once a message is safe, or settled (``confirm = "settled"``). The bus, or
    the backend, bounds how many unconfirmed messages the hub has at once."""
    holds_back: bool
    """True if the bus keeps unread messages (a broker does; a ZeroMQ publisher drops them)."""

    def __init__(self, context: BackendContext) -> None: ...

    def start(self, intake: Intake) -> Deferred[None] | None:
        """Start to receive. :raises HubError: it can't; the text says why (an address in use, a key file missing)."""

    def subscribe(self, patterns: Collection[str]) -> None:
        """Subscribe to further topic patterns on the bus. Called before ``start`` with all wanted patterns, and at each
        change with new ones only."""

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Unsubscribe from these patterns. Messages that still match another pattern may keep coming."""

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Confirm these messages to their sender: they are safe, or settled. Tokens may come in any order, and long
        after the connection by which their messages came is lost; the bus gives those messages again, and the backend
        ignores their old tokens."""

    def publish(self, message: Message) -> Deferred[None] | None:
        """Publish a message. The hub keeps it until it is confirmed, and passes at most ``publish_window`` unconfirmed
        messages at once (an optional attribute of the backend; default 100).

        :returns: fires when the bus has confirmed the message; ``None``: it is sent, and the bus does not confirm.
        :raises CannotPublish: it can never be sent: there is nowhere to send it, or the bus does not accept such a
            message. The hub gives it up. :raises Unavailable: the bus is away. The hub retries later; with
            ``PlaceUnavailable`` it does so with this message alone. The Deferred may fail with either of them.
        """

    def pause(self) -> None:
        """Stop receiving until ``resume``; idempotent."""

    def resume(self) -> None:
        """Continue to receive after ``pause``; idempotent."""

    def stop(self) -> Deferred[None] | None:
        """Pass on what was received already, then close."""

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able; counts only grow. At least ``state``, a :data:`hub.status.states.BackendState`
        (another word counts as not connected), ``received``, ``bytes`` (of the bus's input), ``malformed`` (counts by
        cause), ``published``."""


@runtime_checkable
class Reconfigurable(Protocol):
    """An optional protocol of backends: a reload that changes only some settings need not restart the backend."""

    def reconfigure(self, config: Any) -> bool:
        """Apply new settings. ``False``: it can't change these while it runs; nothing was changed.

        :raises HubError: a new backend could not start with them either; the text says why (an address in use). Nothing
            was changed: the reload reports it, and the old settings stay in force.
        """


@runtime_checkable
class Checking(Protocol):
    """An optional protocol of backends: publishers learn at once that a message could never be sent."""

    def check(self, message: Message) -> None:
        """Check a message, in any thread. :raises CannotPublish: ``publish`` would always raise it."""


@runtime_checkable
class Broadcasting(Protocol):
    """An optional protocol of backend classes: they know whether what they publish reaches every hub that listens."""

    @classmethod
    def no_broadcast(cls, config: Any, topic: str) -> str | None:
        """Return why a message of that topic, published by one hub, would not reach every hub with these settings, or
        would stay somewhere; ``None``: it reaches them, as far as the settings tell."""


@runtime_checkable
class LosingHeaders(Protocol):
    """An optional protocol of backend classes: with some settings their messages have no place for headers. Those that
    a consumer publishes are left out, as its trace is; whoever publishes by hand is told."""

    @classmethod
    def no_place_for(cls, config: Any, headers: Collection[str]) -> str | None:
        """Return why a published message would lose some of these headers with these settings; ``None``: it has place
        for all."""
