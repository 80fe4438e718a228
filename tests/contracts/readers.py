"""Readers of a queue that are no threads: on a queue in memory, on a durable one that is behind, and a double."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.queue.reader import Reader
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingLog, make_queue, size_of


class Desk:
    """A reader with what it reads, and what it was told.

    :ivar told: how often there was something. :ivar jobs: calls that it handed elsewhere.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.told = 0
        self.jobs: list[Callable[[], None]] = []

    def work(self) -> None:
        """Make the calls, as a thread pool would."""
        while self.jobs:
            self.jobs.pop(0)()

    def all(self) -> list[str]:
        """Take and finish all that can be had, with the help of the pool."""
        found: list[str] = []
        while (delivery := self.take(99)) is not None or self.jobs:
            self.work()
            if delivery is not None:
                found += [message.id for message in delivery.messages]
                self.finish(delivery)
        return found

    def offer(self, batch: Sequence[Message]) -> None:
        raise NotImplementedError

    def take(self, limit: int) -> Delivery | None:
        raise NotImplementedError

    def finish(self, delivery: Delivery) -> None:
        raise NotImplementedError

    def retry(self, delivery: Delivery, delay: float) -> None:
        raise NotImplementedError

    def seconds_to_wait(self) -> float | None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class QueueDesk(Desk):
    """On a real queue."""

    def __init__(self, directory: Path | None = None, policy: QueuePolicy | None = None) -> None:
        super().__init__()
        seconds = self.clock.seconds
        self.reading = 0
        self.store: DurableStore | MemoryStore = MemoryStore()
        if directory is not None:
            self.store = DurableStore(directory, RecordingLog(), threaded=False, wall=seconds)
            policy = policy or QueuePolicy(None, None, window=Window(2, 100))
        self.queue: Queue = make_queue(seconds, policy, self.store)
        self.enqueuer = Enqueuer(Router([(["#"], self.queue)]), self.store, seconds, lambda: None)
        self.reader = Reader(self.queue, self.tell, self.jobs.append)

    def tell(self) -> None:
        assert not self.queue.lock.locked()
        self.told += 1

    def offer(self, batch: Sequence[Message]) -> None:
        self.enqueuer.deliver(batch, [(self.queue, None)], size_of(batch), None)
        if isinstance(self.store, DurableStore):
            self.store.writer.step()

    def take(self, limit: int) -> Delivery | None:
        read = self.store.read
        self.store.read = self._forbidden  # type: ignore[method-assign, assignment]
        try:
            return self.reader.take(limit)
        finally:
            self.store.read = read  # type: ignore[method-assign]

    def _forbidden(self, *_: object) -> list[object]:
        raise AssertionError("the store was read in the caller's thread")

    def finish(self, delivery: Delivery) -> None:
        self.queue.finish(delivery, len(delivery.messages))

    def retry(self, delivery: Delivery, delay: float) -> None:
        self.queue.retry(delivery, delay, failed=True)

    def seconds_to_wait(self) -> float | None:
        return self.reader.seconds_to_wait()

    def close(self) -> None:
        self.reader.close()


class ListDesk(Desk):
    """The double: a list of messages."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[float, int, Message, int]] = []
        self._next = 0
        self._armed = False
        self._open = True

    def _ring(self) -> None:
        if self._armed and self._open:
            self._armed = False
            self.told += 1

    def offer(self, batch: Sequence[Message]) -> None:
        for message in batch:
            self._waiting.append((0.0, self._next, message, 0))
            self._next += 1
        self._ring()

    def take(self, limit: int) -> Delivery | None:
        due = [one for one in self._waiting if one[0] <= self.clock.seconds()] if self._open else []
        if not due:
            self._armed = True
            return None
        run = [one for one in due if one[3] == due[0][3]][:limit]
        self._waiting = [one for one in self._waiting if one not in run]
        return Delivery([one[2] for one in run], [one[1] for one in run], run[0][3])

    def finish(self, delivery: Delivery) -> None:
        delivery.done = len(delivery.messages)

    def retry(self, delivery: Delivery, delay: float) -> None:
        at, due = delivery.done, self.clock.seconds() + delay
        self._waiting.append((due, delivery.positions[at], delivery.messages[at], delivery.attempts + 1))
        delivery.done += 1
        self._ring()

    def seconds_to_wait(self) -> float | None:
        later = [one[0] - self.clock.seconds() for one in self._waiting if one[0] > self.clock.seconds()]
        return min(later, default=None)

    def close(self) -> None:
        self._open = False
