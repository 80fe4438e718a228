"""Sources of work: a queue in memory, a queue of jobs in a database, and a double that is a list."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hub.deadletter import DeadLetter
from hub.job_database.slot import NoSlot
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.store import Outgoing
from tests.contracts.job_sources import JobRig
from tests.unit.doubles import make_queue, offer

Clock = Callable[[], float]


@dataclass
class Item:
    position: int
    message: Message
    attempts: int = 0
    failures: int = 0
    kills: int = 0
    due: float = 0.0


def tries(one: Item) -> tuple[int, int, int]:
    return one.kills, one.attempts, one.failures


@dataclass
class ListSource:
    """A source of work, as plainly as can be said.

    :ivar finished: ids. :ivar letters: what was buried. :ivar outbox: what was sent out. :ivar touched: how often.
    """

    clock: Clock
    name: str = "list"
    paused: bool = False
    closed: bool = False
    durable: bool = False
    finished: list[str] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)
    touched: int = 0

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._items: list[Item] = []
        self._taken: dict[Delivery, list[Item]] = {}
        self._nudges = 0
        self._count = 0

    def put(self, batch: Sequence[Message]) -> None:
        with self._changed:
            for message in batch:
                self._items.append(Item(self._count, message))
                self._count += 1
            self._changed.notify_all()

    @property
    def left(self) -> int:
        """Messages that are not settled."""
        with self._changed:
            return len(self._items) + sum(delivery.left for delivery in self._taken)

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Delivery | None:
        deadline = None if timeout is None else self.clock() + timeout
        with self._changed:
            nudges = self._nudges
            while not self.closed and nudges == self._nudges:
                if run := [] if self.paused else self._run(limit):
                    first, positions = run[0], [one.position for one in run]
                    told = (first.attempts, first.failures, first.kills)
                    delivery = Delivery([one.message for one in run], positions, *told)
                    self._items = [one for one in self._items if one not in run]
                    self._taken[delivery] = run
                    return delivery
                if deadline is not None and self.clock() >= deadline:
                    return None
                self._changed.wait(0.01)
        return None

    def _run(self, limit: int) -> list[Item]:
        due = sorted((one for one in self._items if one.due <= self.clock()), key=lambda one: one.position)
        first = due[:1]
        if first and first[0].kills:
            return first
        alike = [one for one in due if (one.kills, one.attempts, one.failures) == tries(first[0])]
        return alike[:limit]

    def finish(self, delivery: Delivery, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        with self._changed:
            self.finished += [message.id for message in delivery.messages[delivery.done : upto]]
            self.outbox += outbox
            self._settle(delivery, upto)

    def bury(self, delivery: Delivery, failed: bool, letter: DeadLetter) -> None:
        with self._changed:
            self.letters.append(letter)
            self._settle(delivery, delivery.done + 1)

    def retry(self, delivery: Delivery, delay: float, failed: bool, why: str = "", killed: bool = False) -> None:
        with self._changed:
            at = delivery.done
            told = (delivery.attempts + 1, delivery.failures + failed, delivery.kills + killed, self.clock() + delay)
            self._items.append(Item(delivery.positions[at], delivery.messages[at], *told))
            self._settle(delivery, at + 1)

    def give_back(self, delivery: Delivery) -> None:
        self.give_back_from(delivery, delivery.done)

    def give_back_from(self, delivery: Delivery, first: int) -> None:
        with self._changed:
            if delivery not in self._taken or first >= len(delivery.messages):
                return
            told = (delivery.attempts, delivery.failures, delivery.kills)
            for position, message in zip(delivery.positions[first:], delivery.messages[first:], strict=True):
                self._items.append(Item(position, message, *told))
            delivery.messages, delivery.positions = delivery.messages[:first], delivery.positions[:first]
            self._settle(delivery, delivery.done)

    def _settle(self, delivery: Delivery, upto: int) -> None:
        delivery.done = upto
        if not delivery.left:
            del self._taken[delivery]
        self._changed.notify_all()

    def touch(self, delivery: Delivery) -> None:
        self.touched += 1

    def slot(self) -> NoSlot:
        return NoSlot()

    def open(self) -> None:
        self.closed = False

    def close(self) -> None:
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def nudge(self) -> None:
        with self._changed:
            self._nudges += 1
            self._changed.notify_all()


class Rig:
    """A source with what a test has to put into it, and to see of it."""

    def __init__(self, kind: str, clock: Clock) -> None:
        self.kind = kind
        self._list, self._queue = ListSource(clock), make_queue(clock)
        self.jobs = JobRig(clock) if kind == "jobs" else None
        self.source = self.jobs.source if self.jobs else self._list if kind == "double" else self._queue

    def run(self) -> None:
        """Have a thread bring what is put in, if the source needs one."""
        if self.jobs:
            self.jobs.run()

    def end(self) -> None:
        if self.jobs:
            self.jobs.end()

    def put(self, batch: Sequence[Message]) -> None:
        if self.jobs:
            self.jobs.put(batch)
        elif self.kind == "double":
            self._list.put(batch)
        else:
            offer(self._queue, batch)

    @property
    def left(self) -> int:
        if self.jobs:
            return self.jobs.left
        return self._list.left if self.kind == "double" else self._queue.stats().counters.backlog

    @property
    def letters(self) -> list[DeadLetter]:
        if self.jobs:
            return self.jobs.letters
        return self._list.letters if self.kind == "double" else list(self._queue.stored.dead_letters())
