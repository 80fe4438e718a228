"""Queues on a real store, for the tests of what became of a message."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock

from hub.control.message_trace import MessageTrace, QueueOutcome, TracedMessage
from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.parts.policies import crew_policy
from hub.parts.queue_entry import Member
from hub.parts.queues import Queues
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.stats.rates import Rates
from hub.store import Store
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.workers.crew import Crew
from hub.workers.runtime import Runtime
from tests.unit.doubles import RecordingLog, Scripted, consumer_part, most

KEEP = 3600.0


class Rig:
    """Queues on a real store, and consumers whose threads are not started."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        seconds = self.clock.seconds
        log = RecordingLog()
        self.store = DurableStore(directory, log, keep=KEEP, threaded=False, wall=seconds)
        self.memory = MemoryStore(seconds)
        self.consumers = SimpleNamespace(leaving=[], stores=[self.store, self.memory], queues=Queues(self.store))
        self.consumers.members, self.consumers.orphans = self.consumers.queues.members, self.consumers.queues.orphans
        self.enqueuer = Enqueuer(Router([]), self.store, seconds, lambda: None)

    def add(self, name: str, store: Store | None = None, cls: type[Scripted] = Scripted) -> Queue:
        seconds = self.clock.seconds
        queue = Queue(name, QueuePolicy(), store or self.store, seconds, seconds)
        part = consumer_part(name, cls)
        crew = Crew(cls(), queue, crew_policy(part), Runtime(seconds, seconds, most), RecordingLog(), self.spawn)
        crew._add_worker()
        self.consumers.members[name] = Member(part, queue, crew, Rates())
        self.enqueuer.router = Router([(["#"], member.queue) for member in self.consumers.members.values()])
        return queue

    def spawn(self, target: object, name: str) -> Any:
        return SimpleNamespace(name=name, is_alive=lambda: True)

    def receive(self, *ids: str) -> None:
        now = self.clock.seconds()
        self.enqueuer.receive([Message(id_, "a.b", b"{}", {}, now, "bus") for id_ in ids], None)

    def take(self, name: str, count: int = 1) -> Delivery:
        """As a worker does."""
        member = self.consumers.members[name]
        taken: Delivery | None = member.queue.take(count, timeout=0)
        assert taken is not None
        (worker, _) = member.crew.workers[0]
        worker.since, worker.delivery = self.clock.seconds(), taken
        return taken

    def bury(self, name: str, *received_at: float) -> None:
        """Messages that were refused."""
        for time in received_at:
            message = Message("0", "a.b", b"{}", {}, time, "bus")
            self.consumers.members[name].queue.bury_unqueued(DeadLetter(message, "no", 0, time))

    def ask(self, id_: str, since: float = 0.0, most: int = 100, spent: Iterable[float] = ()) -> MessageTrace:
        """:param spent: at each look; then none is."""
        clock, route = self.clock.seconds, self.enqueuer.router.route
        made = MessageTrace(id_, self.consumers, self.store, route, clock, clock)  # type: ignore[arg-type]
        looks = iter(spent)
        for _ in made.search(since, most, lambda: next(looks, 0.0)):
            pass
        return made

    def fates(self, id_: str) -> dict[str, QueueOutcome]:
        (sighting,) = self.ask(id_).messages()
        return {fate.queue: fate for fate in sighting.queues}

    def sightings(self, id_: str) -> list[TracedMessage]:
        return self.ask(id_).messages()
