"""A consumer on a bench: the hub around it is the daemon's own code, its bus is in memory, its clock stands still.

Nothing runs by itself: there is one worker, and no thread. So a test says what comes, when time passes, and when the
consumer works, and what it sees is the same every time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

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
from hub.parts.fleet import Fleet
from hub.parts.roster import Roster, crew_policy, queue_policy
from hub.plugins import Plugin
from hub.queue.place import Place
from hub.router import Router
from hub.stats.counters import Counters
from hub.store import Outgoing
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import AtOnce, RecordingPublisher, RecordingQueue, longest, taken_by_bus
from hub.text import printable
from hub.workers.answer import call
from hub.workers.worker import Surroundings, Worker

AnyConsumer = TypeVar("AnyConsumer", bound=Consumer)
MOST_ROUNDS = 10_000
LONGEST_WAIT = 30.0
"""Seconds. After this a worker that pauses goes on, also if nothing that is to be tried again says when."""


@dataclass(frozen=True)
class Delayed:
    """A message that waits for another attempt.

    :ivar attempts: how many there were.
    :ivar due_in: seconds from now on the bench's clock; 0.0: it is due.
    :ivar why: the class and text of what the last attempt raised.
    """

    message: Message
    attempts: int
    due_in: float
    why: str


class Benches:
    """Puts consumers on benches; what the fixture ``hubbub`` is.

    :param directory: relative paths in settings are taken from it, and it is ``context.state_dir``.
    :ivar buses: names of the buses that a consumer can publish to. What is delivered comes from the first.
    :ivar format: of these buses, for what is published: ``fedmsg``, or ``raw``, which takes any bytes; the setting of
        that name of the hub's ZeroMQ backend, with its default.
    :ivar began: epoch seconds at which the clock of each new bench stands; unless it is set, the time of now.
    """

    def __init__(self, directory: Path) -> None:
        self.buses: Sequence[str] = ("bus",)
        self.format = "fedmsg"
        self.began: float | None = None
        self._directory = directory
        self._made: list[Bench[Any]] = []

    def __call__(self, consumer: type[AnyConsumer], /, **settings: Any) -> Bench[AnyConsumer]:
        """A new bench. :param settings: what its table in ``hub.conf`` would hold, its own settings and the hub's.

        :raises ConfigError: as ``hubbub check`` would say it.
        """
        began = time.time() if self.began is None else self.began
        part = checked(consumer, settings, self._directory)
        bench: Bench[AnyConsumer] = Bench(part, self.buses, self._directory, began, self.format)
        self._made.append(bench)
        return bench

    def stop(self) -> None:
        """Calls ``stop()`` of all consumers that have started."""
        while self._made:
            self._made.pop().stop()


def checked(consumer: type[Consumer], settings: Mapping[str, Any], directory: Path) -> Part:
    """What the configuration's check makes of that class and these settings. :raises ConfigError: what it finds."""
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
    """One consumer, its queue and one worker. One thread at a time may use it.

    :param began: epoch seconds at which its clock stands. :param format: of the buses that it publishes to.
    :ivar consumer: the consumer itself; a test may give it fakes before ``start()``.
    :ivar finished: the messages that it has finished, in that order.
    """

    def __init__(self, part: Part, buses: Iterable[str], directory: Path, began: float, format: str = "fedmsg") -> None:
        self.finished: list[Message] = []
        self._began = began
        self._now = 0.0
        self._delivered = 0
        self._started = False
        self._store = MemoryStore(self._wall)
        self._enqueuer = Enqueuer(Router([]), self._store, self._wall, self._hold_back)
        memory = plugins.load("hub.backends", "memory", directory)
        parts = {name: Part(name, memory, BackendSettings(type="memory"), memory.cls.Config()) for name in buses}
        self._fleet = Fleet(parts, AtOnce(), self._enqueuer, self._wall)
        self._publisher = RecordingPublisher(self._fleet.backends, self._wall, taken_by_bus(format, directory))
        around = Surroundings(self._monotonic, self._wall, longest, self._publisher.tracing)
        holds_back, publish = self._fleet.holds_back, self._publisher.publish
        roster = Roster(around, self._store, self._store, publish, directory, self._made_room, holds_back)
        self.consumer: AnyConsumer = roster.make(part)  # type: ignore[assignment]
        policy = queue_policy(part.settings, holds_back)
        self._queue = RecordingQueue(part.name, policy, self._store, self._monotonic, self._wall, self._made_room)
        self._queue.finished = self.finished
        self._store.limit_dead_letters(part.name, part.settings.max_dead)
        self._store.watch(lambda state, reason: None, self._send_out)
        worker_policy = replace(crew_policy(part).worker, batch_wait=0.0)  # nothing comes while a test waits
        self._worker = Worker(self.consumer, self._queue, worker_policy, around, part_log("consumer", part.name))
        self._enqueuer.router = Router([(part.settings.topics, self._queue)])
        self._fleet.start()

    # -- what a test does

    def deliver(
        self, topic: str, body: object, headers: Mapping[str, str] = NO_HEADERS, *, id: str | None = None
    ) -> str:
        """A message comes; it waits in the queue until ``run()``, if its topic is one of the consumer's.

        :param body: as the consumer gets it, with the envelope if its bus has one. ``bytes`` and ``str`` as they are,
            anything else as JSON.
        :param id: the default is ``1``, ``2`` ... :returns: it.
        """
        self._delivered += 1
        name = str(self._delivered) if id is None else id
        self._bus.deliver(topic, body, headers, name)
        return name

    def start(self) -> None:
        """Call the consumer's ``start()``, unless that was done. What it raises comes out; the hub would log it, and
        call it again later. ``run()`` and ``tick()`` begin with this."""
        if not self._started:
            call(self.consumer.start)
            self._started = True

    def run(self) -> None:
        """Have the consumer work until nothing is due; no time passes."""
        self.start()
        while self._worker.step(0):
            pass

    def advance(self, seconds: float) -> None:
        """Time passes. What is due then is tried in the next ``run()``; what has become too old is dropped."""
        self._now += seconds
        self._queue.expire()

    def run_to_the_end(self) -> None:
        """``run()``, and let as much time pass as the next retry needs, until nothing is left.

        :raises AssertionError: there is no end of it.
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
        """Call ``tick()``. What it raises comes out; the hub would log and count it."""
        self.start()
        call(self.consumer.tick)

    def stop(self) -> None:
        """Call the consumer's ``stop()``, if it has started. The fixture does so at the end of a test."""
        if self._started:
            self._started = False
            call(self.consumer.stop)

    # -- what became of it

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """Those that are kept, the oldest first."""
        return self._store.dead_letters(self._queue.name)

    @property
    def retries(self) -> list[Delayed]:
        """What was tried and is to be tried again, the soonest first."""
        found = [
            Delayed(message, place.attempts, max(0.0, (place.due or 0.0) - self._now), self._queue.why(position))
            for position, message, place in self._places()
            if place.attempts
        ]
        return sorted(found, key=lambda delayed: delayed.due_in)

    @property
    def published(self) -> list[Message]:
        """What the consumer sent out, in order. What it sent while it handled a message is among it if, and only if,
        that message is finished. ``backend`` is the bus that it went to."""
        return self._publisher.sent

    @property
    def backlog(self) -> int:
        """Messages that are received and not settled."""
        return self.counters.backlog

    @property
    def counters(self) -> Counters:
        """The queue's, as the status of the hub has them."""
        return self._queue.stats().counters

    @property
    def unrouted(self) -> int:
        """Messages that came and are not of the consumer's topics."""
        return self._enqueuer.counters.unrouted

    # -- inside

    @property
    def _bus(self) -> Any:
        return next(iter(self._fleet.backends.values()))

    def _monotonic(self) -> float:
        return self._now

    def _wall(self) -> float:
        return self._began + self._now

    def _hold_back(self) -> None:
        self._fleet.hold_back("a queue is full")

    def _made_room(self) -> None:
        if not self._queue.full:
            self._fleet.let_go()

    def _send_out(self, first: int, outbox: Sequence[Outgoing]) -> None:
        for outgoing in outbox:
            self._publisher.send_out(outgoing)

    def _places(self) -> list[tuple[int, Message, Place]]:
        found = self._queue.peek(self.backlog)
        return [(position, message, self._queue.place(position)) for position, _, message, _ in found]
