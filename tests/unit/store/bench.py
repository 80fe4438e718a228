"""A durable store with queues on it, in a directory of its own, whose writer the test steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from tests.unit.doubles import size_of
from tests.unit.store.rig import RacedStore, rows

SMALL = QueuePolicy(None, None, window=Window(4, 200), overflow="block")


class Bench:
    """:ivar told: what the store said of its state."""

    def __init__(self, directory: Path, policy: QueuePolicy = SMALL, **options: Any) -> None:
        self.directory = directory
        self.policy = policy
        self.options = options
        self.clock = Clock()
        self.clock.advance(1000)
        self.queues: dict[str, Queue] = {}
        self.told: list[str] = []
        self.room_made = 0
        self.open()

    def open(self) -> None:
        self.store = RacedStore(self.directory, wall=self.clock.seconds, monotonic=self.clock.seconds, **self.options)
        self.store.watch(lambda state, reason: self.told.append(state), lambda first, outbox: None)
        self.enqueuer = Enqueuer(Router([]), self.store, self.clock.seconds, lambda: None)
        for name in list(self.queues):
            self.queue(name)

    def queue(self, name: str = "q", policy: QueuePolicy | None = None) -> Queue:
        clock = self.clock.seconds
        self.queues[name] = Queue(name, policy or self.policy, self.store, clock, clock, self._room)
        return self.queues[name]

    def _room(self) -> None:
        self.room_made += 1

    def deliver(self, batch: Sequence[Message], *names: str) -> None:
        """To these queues; without any, to all."""
        routes = [(self.queues[name], None) for name in names or self.queues]
        self.enqueuer.deliver(batch, routes, size_of(batch), None)

    def take(self, limit: int = 99, name: str = "q") -> Delivery:
        taken = self.queues[name].take(limit, timeout=0)
        assert taken is not None
        return taken

    def finish(self, limit: int = 99, name: str = "q") -> list[str]:
        taken = self.take(limit, name)
        self.queues[name].finish(taken, len(taken.messages))
        return [one.id for one in taken.messages]

    def drain(self, name: str = "q") -> list[str]:
        """Finish all that can be had now. Returns their ids."""
        found = []
        while (taken := self.queues[name].take(99, timeout=0)) is not None:
            found += [one.id for one in taken.messages]
            self.queues[name].finish(taken, len(taken.messages))
        return found

    def step(self) -> bool:
        return self.store.writer.step()

    def restart(self) -> None:
        self.store.close()
        self.open()

    def crash(self) -> None:
        self.store.crash()
        self.open()

    def count(self, table: str) -> int:
        return len(rows(self.store.tables, table))

    def received(self, name: str = "q") -> tuple[int, int, int]:
        """Received, settled, backlog."""
        counters = self.queues[name].stats().counters
        return counters.received, counters.settled, counters.backlog
