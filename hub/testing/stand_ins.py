"""Test doubles on a bench: for the reactor, and a queue and a publisher that record messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from twisted.internet.defer import Deferred

from hub import plugins
from hub.consumer import Consumer
from hub.enqueuer import Enqueuer
from hub.interfaces import Backend, BackendContext, Clock
from hub.message import Message
from hub.partlog import part_log
from hub.parts.declared import DeclaredQueues
from hub.parts.declared_queue import Owner
from hub.parts.queues import Queues
from hub.publisher import Publisher
from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.router import Router
from hub.store import Outgoing, Store
from hub.store.memory import MemoryStore
from hub.workers.runtime import Runtime

AnyConsumer = TypeVar("AnyConsumer", bound=Consumer)


class AtOnce:
    """A double of the reactor, which makes all calls immediately."""

    def callFromThread(self, call: Callable[..., object], *arguments: object) -> None:  # noqa: N802 - Twisted's
        """Make the call now."""
        call(*arguments)

    def callLater(self, delay: float, call: Callable[..., object], *arguments: object) -> None:  # noqa: N802 - as above
        """Make the call now: the bus of a bench accepts everything, so that there are no retries."""
        call(*arguments)


class RecordingQueue(Queue):
    """A queue that records finished messages."""

    finished: list[Message]

    def finish(self, taken: Delivery, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """Finish messages, and record them."""
        self.finished += taken.messages[taken.done : upto]
        super().finish(taken, upto, outbox)


class RecordingPublisher(Publisher):
    """A publisher that records published messages of all buses, in order.

    :param taken: raises ``CannotPublish`` for a message that the real bus would not accept.
    """

    def __init__(
        self,
        backends: Mapping[str, Backend],
        store: Store,
        wall: Clock,
        taken: Callable[[Message], None] = lambda message: None,
    ) -> None:
        super().__init__(backends, AtOnce(), store, wall, longest)
        self.sent: list[Message] = []
        self._taken = taken

    def check(self, name: str, message: Message) -> None:
        """Check a message as the real bus would."""
        self._taken(message)

    def hand_over(self, name: str, message: Message) -> Deferred[None] | None:
        """Send a message, and record it."""
        sending = super().hand_over(name, message)
        self.sent.append(msgspec.structs.replace(message, backend=name))
        return sending


def declared_queues(enqueuer: Enqueuer, store: Store) -> DeclaredQueues:
    """Declared queues of a hub without consumers, whose backends' reactor makes all calls immediately."""
    runtime = Runtime(time.monotonic, time.time, longest)
    return DeclaredQueues(Queues(store), enqueuer, AtOnce(), runtime, store, store)


def longest(low: float, high: float) -> float:
    """Return the longest delay, without jitter, so that tests can predict it."""
    return high


def taken_by_bus(format: str, directory: Path) -> Callable[[Message], None]:
    """The check of the ZeroMQ backend, with a format and otherwise default settings."""
    plugin = plugins.load("hub.backends", "zeromq", directory)
    config = plugin.cls.Config(format=format, publish_bind=["tcp://127.0.0.1:1"])
    store = MemoryStore()
    enqueuer = Enqueuer(Router([]), store, time.time, lambda: None)
    queues = declared_queues(enqueuer, store).of(Owner("bus"))
    log, show = part_log("backend", "bus"), enqueuer.subscriptions.add
    backend = plugin.make("bus", BackendContext("bus", config, AtOnce(), log, time.time, show, queues))
    check: Callable[[Message], None] = backend.check
    return check
