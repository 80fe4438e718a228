"""A test bench for a consumer: the daemon's own code, with a bus in memory and a clock that stands still.

Nothing runs by itself: there is one worker, and no thread. The test delivers messages, advances the clock and runs the
consumer, so its results are reproducible.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from hub import plugins
from hub.configuration.layers import Layers, Origin
from hub.configuration.masking import masked
from hub.configuration.parts import PartReader
from hub.configuration.schema import BackendSettings, Part
from hub.configuration.toml_lines import KeyPath
from hub.consumer import Consumer
from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError
from hub.message import NO_HEADERS, Message
from hub.partlog import part_log
from hub.parts.backends import Backends
from hub.parts.consumers import make_consumer
from hub.parts.flow_control import FlowControl
from hub.parts.policies import crew_policy, queue_policy
from hub.plugins import Plugin
from hub.queue.inspect import MessageState
from hub.router import Router
from hub.stats.counters import Counters
from hub.store import Outgoing
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import (
    AnyConsumer,
    AtOnce,
    RecordingPublisher,
    RecordingQueue,
    declared_queues,
    longest,
    taken_by_bus,
)
from hub.text import printable
from hub.workers.answer import call
from hub.workers.instances import tell_stopping
from hub.workers.runtime import Runtime
from hub.workers.source import WorkSource
from hub.workers.worker import Worker

if TYPE_CHECKING:  # the job queue brings SQLAlchemy, which a test of messages need not load
    from hub.testing.job_bench import JobBench
    from hub.testing.memory_jobs import MemoryJobs

MOST_ROUNDS = 10_000
LONGEST_WAIT = 30.0
"""Seconds after which a paused worker continues, even if no retry is due."""


@dataclass(frozen=True)
class Delayed:
    """A delayed message, which waits for its next attempt.

    :ivar attempts: attempts so far.
    :ivar due_in: seconds from now on the bench's clock; 0.0: due now.
    :ivar why: class and text of the last attempt's error.
    """

    message: Message
    attempts: int
    due_in: float
    why: str


class Benches:
    """The value of the fixture ``hubbub``: makes benches for consumers.

    :param directory: base of relative paths in settings, and ``context.state_dir``.
    :ivar buses: names of the buses that a consumer can publish to. Delivered messages come from the first.
    :ivar format: format of published messages: ``fedmsg``, or ``raw``, which accepts any bytes; as the ZeroMQ backend's
        setting of that name, with its default.
    :ivar began: epoch seconds on the clock of each new bench; the current time, unless it is set.
    """

    def __init__(self, directory: Path) -> None:
        self.buses: Sequence[str] = ("bus",)
        self.format = "fedmsg"
        self.began: float | None = None
        self._directory = directory
        self._made: list[Bench[Any]] = []
        self._databases: list[MemoryJobs] = []

    def __call__(self, consumer: type[AnyConsumer], /, **settings: Any) -> Bench[AnyConsumer]:
        """Make a bench. :param settings: the consumer's table in ``hub.conf``: its own settings and the hub's.

        :raises ConfigError: with the problems that ``hubbub check`` would report.
        """
        part = checked(consumer, settings, self._directory)
        if part.settings.queue is not None:
            raise ConfigError([f"{consumer.__name__} works jobs: hubbub.jobs({consumer.__name__}) makes its bench"])
        return self._bench(part)

    def jobs(self, consumer: type[AnyConsumer], /, **settings: Any) -> JobBench[AnyConsumer]:
        """Make a bench for a consumer of jobs, with a database in memory. The parameters are those of a call.

        :raises ConfigError: with the problems that ``hubbub check`` would report, or it has no queue of jobs.
        """
        from hub.testing.job_bench import JobBench

        part = checked(consumer, settings, self._directory)
        if part.settings.queue is None:
            raise ConfigError([f"{consumer.__name__} works messages: it has no queue of jobs"])
        bench: JobBench[AnyConsumer] = JobBench(self._bench(part), part)
        self._databases.append(bench.jobs)
        return bench

    def _bench(self, part: Part) -> Bench[Any]:
        began = time.time() if self.began is None else self.began
        bench: Bench[Any] = Bench(part, self.buses, self._directory, began, self.format)
        self._made.append(bench)
        return bench

    def stop(self) -> None:
        """Call ``stop()`` of all consumers that have started."""
        while self._made:
            self._made.pop().stop()
        while self._databases:
            self._databases.pop().discard()


def checked(consumer: type[Consumer], settings: Mapping[str, Any], directory: Path) -> Part:
    """Check a class and its settings as a configuration. :raises ConfigError: with all problems."""
    name, spec = consumer.__name__.lower(), f"{consumer.__module__}:{consumer.__qualname__}"
    table = {**settings, "type": spec}
    origins: dict[KeyPath, Origin] = {("consumers", name, key): Origin("test", directory) for key in table}
    layers = Layers(directory, {"consumers": {name: table}}, origins)
    reader = PartReader(layers, lambda *_: Plugin(consumer, spec))
    part = reader.read("consumers", name, table)
    if part is None:
        raise ConfigError([printable(masked(problem)) for problem in reader.problems])
    return part


class Bench(Generic[AnyConsumer]):
    """A consumer on a bench, with its queue and one worker. One thread at a time may use it.

    :param began: epoch seconds on its clock. :param format: format of published messages.
    :ivar consumer: the consumer; a test may give it fakes before ``start()``.
    :ivar finished: messages that it has finished, in order.
    """

    def __init__(self, part: Part, buses: Iterable[str], directory: Path, began: float, format: str = "fedmsg") -> None:
        self.finished: list[Message] = []
        self._part = part
        self._began = began
        self._now = 0.0
        self._delivered = 0
        self._started = False
        self._store = MemoryStore(self._wall)
        self._flow = FlowControl()
        hold_back, self._release = self._flow.source("queue")
        self._enqueuer = Enqueuer(Router([]), self._store, self._wall, partial(hold_back, "a queue is full"))
        memory = plugins.load("hub.backends", "memory", directory)
        parts = {name: Part(name, memory, BackendSettings(type="memory"), memory.cls.Config()) for name in buses}
        declared = declared_queues(self._enqueuer, self._store)
        backends = Backends(self._flow, AtOnce(), self._enqueuer, self._wall, declared)
        taken = taken_by_bus(format, directory)
        self._publisher = RecordingPublisher(self._flow.backends, self._store, self._wall, taken)
        self.runtime = Runtime(self._monotonic, self._wall, longest, self._publisher.tracing)
        for bus in parts.values():
            backends.start(bus, backends.prepare(bus))
        self.consumer: AnyConsumer = make_consumer(part, self._publisher.publish, directory)  # type: ignore[assignment]
        policy = queue_policy(part.settings, self._flow.holds_back)
        self._queue = RecordingQueue(part.name, policy, self._store, self._monotonic, self._wall, self._made_room)
        self._queue.finished = self.finished
        self._store.limit_dead_letters(part.name, part.settings.max_dead)
        self._store.watch(lambda state, reason: None, lambda first, batch: self._publisher.unstored(batch))
        self._policy = replace(crew_policy(part).worker, batch_wait=0.0)  # no message arrives while a test waits
        self._worker = self.worker_on(self._queue)
        self._enqueuer.router = Router([(part.settings.topics, self._queue)])
        self._publisher.open()

    # -- actions

    def deliver(
        self, topic: str, body: object, headers: Mapping[str, object] = NO_HEADERS, *, id: str | None = None
    ) -> str:
        """Deliver a message. If its topic matches the consumer's, it waits in the queue until ``run()``.

        :param body: the body for the consumer, with the envelope if the bus has one. ``bytes`` and ``str`` are passed
            as they are, anything else as JSON.
        :param headers: a table or a list becomes JSON text, under its name with ``.json`` appended, as from any bus.
        :param id: by default ``1``, ``2`` ... :returns: the id.
        """
        self._delivered += 1
        name = str(self._delivered) if id is None else id
        self._bus.deliver(topic, body, headers, name)
        return name

    def start(self) -> None:
        """Call the consumer's ``start()``, once. Its errors are raised here; the hub would log them, and call it again
        later. ``run()`` and ``tick()`` begin with this."""
        if not self._started:
            call(self.consumer.start)
            self._started = True

    def run(self) -> None:
        """Run the consumer until no message is due; the clock does not move."""
        self.start()
        while self._worker.step(0):
            pass

    def advance(self, seconds: float) -> None:
        """Advance the clock. The next ``run()`` tries messages that are due then; expired ones are dropped."""
        self._now += seconds
        self._queue.expire()

    def run_to_the_end(self) -> None:
        """Run the consumer, and advance the clock to each next retry, until no message is left.

        :raises AssertionError: it does not end.
        """
        for _ in range(MOST_ROUNDS):
            self.run()
            if not self.backlog:
                return
            due = [place.due for _, _, place in self._places() if place.due is not None]
            self._now = max(self._now, min(due, default=self._now + LONGEST_WAIT))
            self._queue.expire()
        raise AssertionError(f"{self.consumer.context.name} is not done after {MOST_ROUNDS} rounds: {self.retries}")

    def tick(self) -> None:
        """Call the consumer's ``tick()``. Its errors are raised here; the hub would log and count them."""
        self.start()
        call(self.consumer.tick)

    def stop(self) -> None:
        """Call the consumer's ``stop()``, if it has started. The fixture calls this at the end of a test."""
        if self._started:
            self._started = False
            tell_stopping(self.consumer)
            call(self.consumer.stop)

    # -- results

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """The consumer's dead letters, the oldest first."""
        return self._store.dead_letters(self._queue.name)

    @property
    def retries(self) -> list[Delayed]:
        """Messages that wait for a retry, the earliest first."""
        found = [
            Delayed(
                message, place.attempts, max(0.0, (place.due or 0.0) - self._now), self._queue.inspect.why(position)
            )
            for position, message, place in self._places()
            if place.attempts
        ]
        return sorted(found, key=lambda delayed: delayed.due_in)

    @property
    def published(self) -> list[Message]:
        """Messages that the consumer published, in order. ``backend`` is the bus of each.

        A message published while another was handled is included if, and only if, that one is finished.
        """
        return self._publisher.sent

    @property
    def backlog(self) -> int:
        """Number of messages received and not settled."""
        return self.counters.backlog

    @property
    def counters(self) -> Counters:
        """The queue's counters, as in the hub's status."""
        return self._queue.stats().counters

    @property
    def unrouted(self) -> int:
        """Number of messages whose topic does not match the consumer's."""
        return self._enqueuer.counters.unrouted

    # -- inside

    def worker_on(self, source: WorkSource) -> Worker:
        """A worker of the consumer on a source of work."""
        return Worker(self.consumer, source, self._policy, self.runtime, part_log("consumer", self._part.name))

    def send(self, outbox: Sequence[Outgoing]) -> None:
        """Send what was published without a store."""
        self._publisher.unstored(outbox)

    @property
    def _bus(self) -> Any:
        return next(iter(self._flow.backends.values()))

    def _monotonic(self) -> float:
        return self._now

    def _wall(self) -> float:
        return self._began + self._now

    def _made_room(self) -> None:
        if not self._queue.full:
            self._release()

    def _places(self) -> list[tuple[int, Message, MessageState]]:
        found = self._queue.inspect.peek(self.backlog)
        return [(position, message, self._queue.inspect.state_of(position)) for position, _, message, _ in found]
