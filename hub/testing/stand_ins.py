"""What stands on a bench in the place of the reactor, and what remembers there what passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from hub.interfaces import Backend, Clock
from hub.message import Message
from hub.publisher import Publisher
from hub.queue.queue import Queue
from hub.queue.waiting import Taken
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
    """Remembers what was sent, in order, whatever the bus."""

    def __init__(self, backends: Mapping[str, Backend], wall: Clock) -> None:
        super().__init__(backends, lambda call: call(), wall)
        self.sent: list[Message] = []

    def send(self, name: str, message: Message) -> None:
        """As the publisher."""
        super().send(name, message)
        self.sent.append(msgspec.structs.replace(message, backend=name))


def longest(low: float, high: float) -> float:
    """No jitter: each delay is the longest that it may be, so that a test can wait for it."""
    return high
