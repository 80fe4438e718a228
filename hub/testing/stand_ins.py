"""What stands on a bench in the place of the reactor, and what remembers there what passes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from hub import plugins
from hub.interfaces import Backend, BackendContext, Clock
from hub.message import Message
from hub.partlog import part_log
from hub.publisher import Publisher
from hub.queue.queue import Queue
from hub.queue.taken import Taken
from hub.store import Outgoing


class AtOnce:
    """Stands in for the reactor."""

    def callFromThread(self, call: Callable[..., object], *arguments: object) -> None:  # noqa: N802 - Twisted's
        """Now."""
        call(*arguments)


class RecordingQueue(Queue):
    """Remembers what was finished."""

    finished: list[Message]

    def finish(self, taken: Taken, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """As the queue."""
        self.finished += taken.messages[taken.done : upto]
        super().finish(taken, upto, outbox)


class RecordingPublisher(Publisher):
    """Remembers what was sent, in order, whatever the bus.

    :param taken: raises ``CannotPublish`` of a message that the bus which is stood in for does not take.
    """

    def __init__(
        self, backends: Mapping[str, Backend], wall: Clock, taken: Callable[[Message], None] = lambda message: None
    ) -> None:
        super().__init__(backends, lambda call: call(), wall)
        self.sent: list[Message] = []
        self._taken = taken

    def check(self, name: str, message: Message) -> None:
        """As that bus."""
        self._taken(message)

    def send(self, name: str, message: Message) -> None:
        """As the publisher."""
        super().send(name, message)
        self.sent.append(msgspec.structs.replace(message, backend=name))


def longest(low: float, high: float) -> float:
    """No jitter: each delay is the longest that it may be, so that a test can wait for it."""
    return high


def taken_by_bus(format: str, directory: Path) -> Callable[[Message], None]:
    """The check of the hub's ZeroMQ backend, with that format and its other defaults."""
    plugin = plugins.load("hub.backends", "zeromq", directory)
    config = plugin.cls.Config(format=format, publish_bind=["tcp://127.0.0.1:1"])
    backend = plugin.make("bus", BackendContext("bus", config, AtOnce(), part_log("backend", "bus"), time.time))
    check: Callable[[Message], None] = backend.check
    return check
