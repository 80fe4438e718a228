"""Small doubles for the unit tests: messages, a scripted consumer, a worker on a bench, a backend that records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from hub.configuration.schema import BackendSettings, ConsumerSettings, Part
from hub.consumer import Consumer, Context
from hub.deadletter import DeadLetter
from hub.interfaces import BackendContext, Intake
from hub.message import Message
from hub.partlog import PartLog
from hub.parts.consumers import Consumers
from hub.parts.holds import NO_HOLDS, ConsumerHolds
from hub.parts.queues import Queues
from hub.plugins import Plugin
from hub.queue.delivery import Delivery
from hub.queue.policy import KeyOf, QueuePolicy
from hub.queue.queue import Queue
from hub.settings import Settings
from hub.store import Store
from hub.store.memory import MemoryStore
from hub.workers.retry import Backoff
from hub.workers.runtime import Runtime
from hub.workers.worker import Worker, WorkerPolicy


def message(number: int, topic: str = "a.b", body: bytes = b"{}", **headers: str) -> Message:
    """A message whose id and time are its number."""
    return Message(str(number), topic, body, headers, received_at=float(number), backend="bus")


def messages(count: int, topic: str = "a.b") -> list[Message]:
    """Those numbered from 0."""
    return [message(number, topic) for number in range(count)]


class Headers(dict[str, Any]):
    """Headers of a message that a ``weakref`` can watch, which it can't watch a message."""


def size_of(batch: Sequence[Message]) -> int:
    """Bytes of their bodies."""
    return sum(len(one.body) for one in batch)


def make_queue(
    clock: Callable[[], float],
    policy: QueuePolicy | None = None,
    store: Store | None = None,
    on_room: Callable[[], None] = lambda: None,
    name: str = "test",
) -> Queue:
    """A queue with one clock for all."""
    return Queue(name, policy or QueuePolicy(), store or MemoryStore(), clock, clock, on_room)


def offer(queue: Queue, batch: Sequence[Message]) -> bool:
    """What the enqueuer does with a batch. Returns whether the bus should be held back."""
    return queue.offer(*queue.admit(batch, size_of(batch)))


def outbox_of(store: Store, *backends: str) -> list[tuple[int, Message]]:
    """All that the store would have sent out through these backends; none given: through ``bus``."""
    found: list[tuple[int, Message]] = []
    for backend in backends or ("bus",):
        after, more = 0, True
        while more:
            rows, after, more = store.outbox(backend, after, 100)
            found += rows
    return sorted(found, key=lambda row: row[0])


def letter_of(taken: Delivery, reason: str = "no") -> DeadLetter:
    """For the next one of them."""
    return DeadLetter(taken.messages[taken.done], reason, taken.attempts + 1, 0.0)


def most(low: float, high: float) -> float:
    """The jitter that is always the longest."""
    return high


def none_at_all(low: float, high: float) -> float:
    """The jitter that is always the shortest."""
    return low


def in_turn(*calls: Callable[[], object]) -> Callable[..., None]:
    """One call that makes all of them, whatever it is given."""

    def make(*_: object) -> None:
        for call in calls:
            call()

    return make


class RecordingLog(PartLog):
    """A logger that keeps its records to itself."""

    def __init__(self) -> None:
        super().__init__(logging.Logger("test"), {})
        self.records: list[logging.LogRecord] = []
        handler = logging.Handler()
        handler.emit = self.records.append  # type: ignore[assignment, method-assign]
        self.logger.addHandler(handler)

    def actions(self) -> list[str]:
        """The action of each line."""
        return [str(getattr(record, "action", "")) for record in self.records]

    def lines(self) -> list[str]:
        """The text of each line."""
        return [record.getMessage() for record in self.records]


def context(name: str = "test", config: Any = None) -> Context:
    """What a consumer is made with."""
    return Context(name, config, RecordingLog(), lambda *_: None, Path("/nonexistent"))


class Scripted(Consumer):
    """Records what it is given; raises what the script holds for a message, one after the other."""

    def __init__(self, context_: Context | None = None) -> None:
        super().__init__(context_ or context())
        self.seen: list[str] = []
        self.script: dict[str, list[BaseException]] = {}
        self.on_consume: Callable[[Message], object] = lambda _: None

    def consume(self, message: Message) -> None:
        """By the script."""
        self.seen.append(message.id)
        self.on_consume(message)
        if self.script.get(message.id):
            raise self.script[message.id].pop(0)


class ScriptedBatches(Scripted):
    """The same by batches; a batch raises the first thing that the script holds for one of its messages."""

    def __init__(self, context_: Context | None = None) -> None:
        super().__init__(context_)
        self.batches: list[list[str]] = []

    def consume_batch(self, messages: Sequence[Message]) -> None:
        """By the script."""
        self.batches.append([message.id for message in messages])
        for message in messages:
            self.on_consume(message)
            if self.script.get(message.id):
                raise self.script[message.id].pop(0)


class Bench:
    """One worker with all that it needs, on a clock that stands still."""

    def __init__(
        self,
        consumer: Scripted | None = None,
        max_attempts: int = 3,
        batch_size: int | None = None,
        key_of: KeyOf | None = None,
        backoff: float = 1.0,
    ) -> None:
        self.clock = Clock()
        self.log = RecordingLog()
        self.store = MemoryStore()
        self.consumer = consumer or Scripted()
        self.queue = make_queue(self.clock.seconds, QueuePolicy(key_of=key_of), self.store)
        self.around = Runtime(self.clock.seconds, self.clock.seconds, most)
        self.policy = WorkerPolicy(Backoff(max_attempts, backoff, 300.0), batch_size)
        self.worker = self.another()

    def another(self) -> Worker:
        """One more worker for the same queue."""
        return Worker(self.consumer, self.queue, self.policy, self.around, self.log)

    def offer(self, *batch: Message) -> None:
        """Put them in the queue."""
        offer(self.queue, list(batch))

    def run(self) -> None:
        """Until there is nothing to do now."""
        while self.worker.step(0):
            pass

    def run_to_the_end(self, rounds: int = 100) -> None:
        """Let time pass until nothing is left."""
        for _ in range(rounds):
            self.run()
            if not self.queue.stats().counters.backlog:
                return
            self.clock.advance(300.0)
        raise AssertionError(f"something is left after {rounds} rounds")


class FakeReactor(Clock):
    """A clock that takes calls from other threads at once."""

    def callFromThread(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Now."""
        call(*arguments)


class RecordingBackend:
    """Sends nothing, and remembers what it was asked."""

    Config = Settings
    confirms = True
    holds_back = True

    def __init__(self, context: BackendContext) -> None:
        self.context = context
        self.calls: list[tuple[str, object]] = []
        self.published: list[Message] = []
        self.intake: Intake | None = None

    def start(self, intake: Intake) -> Any:
        """Remember the intake."""
        self.intake = intake
        self.calls.append(("start", None))

    def subscribe(self, patterns: Collection[str]) -> None:
        """Remember."""
        self.calls.append(("subscribe", list(patterns)))

    def unsubscribe(self, patterns: Collection[str]) -> None:
        """Remember."""
        self.calls.append(("unsubscribe", list(patterns)))

    def confirm(self, tokens: Sequence[Any]) -> None:
        """Remember."""
        self.calls.append(("confirm", list(tokens)))

    def publish(self, message: Message) -> None:
        """Remember."""
        self.published.append(message)

    def pause(self) -> None:
        """Remember."""
        self.calls.append(("pause", None))

    def resume(self) -> None:
        """Remember."""
        self.calls.append(("resume", None))

    def stop(self) -> Any:
        """Remember."""
        self.calls.append(("stop", None))

    def status(self) -> Mapping[str, Any]:
        """What every backend says at least."""
        return {"state": "connected", "received": 0, "bytes": 0, "malformed": {}}


def consumer_part(name: str, cls: type[Any] = Scripted, fingerprint: str = "v1", **values: Any) -> Part:
    """``[consumers.NAME]``, as the configuration's check leaves it."""
    given = {"topics": ["#"], "threads": 1, "batch_size": 100, "batch_wait": 0.0, "backoff": 0.0, **values}
    return Part(name, Plugin(cls, fingerprint), ConsumerSettings(type=f"test:{cls.__name__}", **given), Settings())


def make_consumers(
    runtime: Runtime,
    store: Store,
    memory: Store | None = None,
    *,
    reactor: Any = None,
    directory: Path = Path("/nonexistent"),
    holds_back: Callable[[], bool] = lambda: True,
    holds: ConsumerHolds = NO_HOLDS,
) -> Consumers:
    """The manager of consumers that publish nothing."""
    nothing = (lambda *_: None, directory, lambda: None)
    queues = Queues(store, holds)
    return Consumers(runtime, reactor or FakeReactor(), queues, store, memory or store, *nothing, holds_back)


def backend_part(name: str, cls: type[Any] = RecordingBackend, fingerprint: str = "v1") -> Part:
    """``[backends.NAME]``."""
    return Part(name, Plugin(cls, fingerprint), BackendSettings(type="recording"), Settings())
