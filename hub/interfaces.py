"""Protocols of plugins and of the hub's own parts. This module holds no behaviour."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from twisted.internet.defer import Deferred

from hub.declarations import QueueDeclarations
from hub.extra import Extra
from hub.http.access import Auditor
from hub.http.verb import Mounts, Verb
from hub.job_queues import JobQueues
from hub.message import Message
from hub.receipt import Answer as Answer
from hub.receipt import Receipt as Receipt
from hub.replays import ReplaySource
from hub.settings import Settings

Clock = Callable[[], float]
"""A clock, in seconds: monotonic (delays, rates) or epoch seconds (shown to people); each use says which."""


class Intake(Protocol):
    """The intake to which a backend passes received messages. Called only in the reactor's thread."""

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        """Receive one batch in the bus's order: the messages from one turn of the backend's reader.

        :param tokens: one for each message, passed to ``Backend.confirm`` later; empty if the sender expects no
            confirmation.
        :param answer: called in the reactor's thread with the receipt, before this method returns unless a stage checks
            the messages first. ``Backend.confirm`` tells when they are safe.
        """

    def refuse(self, message: Message, reason: str) -> None:
        """Count a message with an unusable body. A truncated copy is kept for a while; it is not delivered."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A stage's verdict: drop the message. It is counted by reason, and listed with the refused ones."""

    reason: str


@dataclass(frozen=True, slots=True)
class Bury:
    """A verdict: make the message a dead letter. A stage's is for each matching queue; an attempt's for its queue."""

    reason: str


class Stage(Protocol):
    """A stage checks messages before they are routed: it validates them, or verifies signatures. It is called in a
    thread, perhaps in several at once; the order of messages is kept."""

    name: str

    def check(self, messages: Sequence[Message]) -> Sequence[Message | Drop | Bury]:
        """Return a verdict for each message, in order: the message itself, a replacement (marked by a header), or
        ``Drop`` or ``Bury``.

        :raises Unavailable: the check can't be done now (a key can't be fetched): it is called again later with the
            same messages, and all later ones wait. On any other error the failing messages are buried.
        """


Sink = Callable[[Sequence[Message]], None]
"""A sink is called with messages as they arrive, in the reactor's thread; it must not block."""


class Subscription(Protocol):
    """A subscription: the topic patterns of one sink. Belongs to the reactor's thread. The cost of a change does not
    depend on the number of other subscriptions."""

    def add(self, pattern: str) -> None:
        """Add a topic pattern."""

    def remove(self, pattern: str) -> None:
        """Remove a topic pattern. Messages that another pattern matches are still shown."""

    def cancel(self) -> None:
        """End the subscription."""


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
            message. The hub gives it up. :raises Unavailable: the bus is away. The hub retries later. The Deferred may
            fail with either of them.
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
class Releasing(Protocol):
    """An optional protocol of backends and servers. A child process that a consumer forks inherits their file
    descriptors, and would keep their ports and connections open while it lives. Descriptors in the reactor are closed
    anyway."""

    def release(self, detach: Callable[[int], None]) -> None:
        """Call ``detach`` with each file descriptor, in a child that was just forked. Nothing may be sent."""


@runtime_checkable
class Serving(Protocol):
    """An optional protocol of backends, exporters, servers and other parts; a consumer has it by its base class."""

    def verbs(self) -> Sequence[Verb]:
        """Return verbs and pages that the hub serves below ``/SECTION/NAME/``, such as ``/backends/bus/``, on its
        control socket and its web server; see :meth:`hub.consumer.Consumer.verbs`."""


@runtime_checkable
class Checking(Protocol):
    """An optional protocol of backends: publishers learn at once that a message could never be sent."""

    def check(self, message: Message) -> None:
        """Check a message, in any thread. :raises CannotPublish: ``publish`` would always raise it."""


@runtime_checkable
class NeedingExtras(Protocol):
    """An optional protocol of the classes of all parts: some settings need optional libraries. ``hubbub check`` names
    those that are missing."""

    @classmethod
    def needed_extras(cls, config: Any) -> Iterable[Extra]:
        """Return the extras that a part with these settings uses."""


@runtime_checkable
class Broadcasting(Protocol):
    """An optional protocol of backend classes: they know whether what they publish reaches every hub that listens."""

    @classmethod
    def no_broadcast(cls, config: Any, topic: str) -> str | None:
        """Return why a message of that topic, published by one hub, would not reach every hub with these settings, or
        would stay somewhere; ``None``: it reaches them, as far as the settings tell."""


class Sender(Protocol):
    """A publisher outside the hub, for the command line's ``publish`` and ``feed``. Blocking; no reactor."""

    def wait(self, timeout: float) -> bool:
        """Wait for a listener. :param timeout: seconds. :returns: false if there is none in time."""

    def publish(self, message: Message) -> None:
        """Send a message in the bus's own format (in an envelope, if it has one)."""

    def forward(self, topic: str, body: bytes) -> None:
        """Send a recorded message, byte for byte."""

    def close(self) -> None:
        """Send what is buffered, in bounded time, then close."""


@runtime_checkable
class BusTools(Protocol):
    """An optional protocol of backend classes, with which the command line becomes a peer on the bus."""

    @classmethod
    def sender(cls, config: Any) -> Sender:
        """Make a publisher that a hub with this configuration receives from. :raises Unavailable: it can't be made."""

    @classmethod
    def listener(cls, config: Any, patterns: Sequence[str]) -> Iterator[Message]:
        """Yield messages from the bus as they arrive, forever. :raises Unavailable: it can't listen."""


class Exporter(Protocol):
    """An exporter sends the hub's numbers somewhere. It has a thread of its own: if it is slow or fails, the hub is not
    held up."""

    Config: type[Settings]

    def __init__(self, context: ExporterContext) -> None: ...

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot. Errors are logged and counted.

        :param snapshot: the status as plain dictionaries, a :class:`hub.status.document.HubStatus`; it may not be
            changed. :func:`hub.status.catalogue.metrics` iterates over its numbers.
        """

    def close(self) -> None:
        """Release resources. The last call: no snapshot follows."""


class Span(Protocol):
    """A span: one call of a consumer, for a tracer."""

    def end(self, error: BaseException | None) -> None:
        """End the span, in the thread that began it. :param error: raised by the call; ``None``: it returned."""


class Tracer(Protocol):
    """A tracer of consumers' calls. It is called in the worker's thread, and must not block."""

    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> Span:
        """Begin the span of a call with one message or a batch. :param attempt: 1 for the first."""

    def headers(self) -> Mapping[str, str]:
        """Headers for a message that this thread publishes now: ``traceparent`` and ``tracestate``, or none."""


@runtime_checkable
class TracingExporter(Protocol):
    """An optional protocol of exporters: they trace what consumers do."""

    def tracer(self) -> Tracer | None:
        """Return the tracer; ``None``: nothing is traced. Called once, when the exporter is made."""


@dataclass(frozen=True)
class ExporterContext:
    """The context that an exporter is made with."""

    name: str
    config: Any
    interval: float
    """Seconds between two snapshots."""
    log: logging.LoggerAdapter[logging.Logger]


@dataclass(frozen=True)
class ServerContext:
    """The context that a server is made with."""

    name: str
    config: Any
    reactor: Any
    log: logging.LoggerAdapter[logging.Logger]
    wall: Clock
    """Epoch seconds."""
    state_dir: Path
    snapshot: Callable[[], Mapping[str, Any]]
    """Makes the status document. Call it in the reactor's thread."""
    verbs: Sequence[Verb]
    """The hub's own verbs, for a :class:`hub.http.api.Api` behind the server's guard. Their status is complete, with
    the texts of errors: a server for strangers has a verb of its own instead, as ``hub.monitoring.web`` does."""
    plugins: Callable[[], Mounts]
    """Returns the current verbs of plugins; a reload may change them."""
    audit: Auditor
    """The audit log, for actions other than verbs, which write to it by themselves."""


class Server(Protocol):
    """A server through which people and programs reach the hub, such as the web page. Belongs to the reactor's
    thread."""

    Config: type[Settings]

    def __init__(self, context: ServerContext) -> None: ...

    def start(self) -> Deferred[None] | None:
        """Start to listen. :raises HubError: it can't; the text says why (an address in use)."""

    def stop(self) -> Deferred[None] | None:
        """Stop listening, and disconnect clients."""

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able: at least ``state``; counts only grow."""
