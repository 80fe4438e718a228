"""A small life of a store with two queues, one thing after the other, in one thread; and what must be true of it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.intakes import BackendIntake
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from hub.store import Outgoing
from hub.store.durable import DurableStore
from hub.store.tables import Tables
from tests.faults.faulty_tables import Fault, FaultyTables
from tests.unit.doubles import RecordingLog

TOPICS = {"all": ["#"], "some": ["t.odd"]}
POLICY = QueuePolicy(max_backlog=None, max_bytes=None, window=Window(4, 1 << 20))


def store_in(directory: Path, clock: Clock, tables: Tables) -> DurableStore:
    """Without a thread."""
    return DurableStore(directory, RecordingLog(), wall=clock.seconds, threaded=False, tables=tables)


def wanted(queue: str, number: int) -> bool:
    """True if that queue wants it."""
    return queue == "all" or number % 2 == 1


class Scenario:
    """The truth beside the store.

    :ivar confirmed: numbers. :ivar finished: by queue, numbers. :ivar buried: likewise, as often as they were.
    :ivar sent: what was given to the bus, as often as it was.
    """

    def __init__(self, directory: Path, fault: Fault) -> None:
        self.directory = directory
        self.fault = fault
        self.clock = Clock()
        self.clock.advance(1e9)
        self.confirmed: set[int] = set()
        self.finished: dict[str, set[int]] = {name: set() for name in TOPICS}
        self.buried: dict[str, Counter[int]] = {name: Counter() for name in TOPICS}
        self.sent: Counter[int] = Counter()
        self._next = 0
        self._open()

    def _open(self) -> None:
        self.store = store_in(self.directory, self.clock, FaultyTables(self.directory, self.fault))
        self.store.watch(lambda state, reason: None, self._send)
        clock = self.clock.seconds
        self.queues = {name: Queue(name, POLICY, self.store, clock, clock) for name in TOPICS}
        router = Router((topics, self.queues[name]) for name, topics in TOPICS.items())
        self.enqueuer = Enqueuer(router, self.store, clock, lambda: None)
        self.intake = BackendIntake(self.enqueuer, self.confirmed.update)

    def _send(self, first: int, outbox: list[Outgoing]) -> None:
        for number, outgoing in enumerate(outbox, first):
            self.sent[int(outgoing.message.id)] += 1
            self.store.sent(number)

    def close(self) -> None:
        """Without a last commit, as a kill would."""
        self.store.tables.close()

    # -- what may happen

    def receive(self, count: int) -> None:
        """A batch comes from the bus."""
        numbers = range(self._next, self._next + count)
        self._next += count
        now = self.clock.seconds()
        messages = [Message(str(n), "t.odd" if n % 2 else "t.even", b"body %d" % n, {}, now) for n in numbers]
        self.intake.receive(messages, numbers)

    def take(self, queue: str, limit: int) -> Delivery | None:
        """Whatever is due."""
        return self.queues[queue].take(limit, timeout=0)

    def finish(self, queue: str, limit: int, posts: bool = False) -> None:
        """Some messages are done; each may send one out."""
        if (taken := self.take(queue, limit)) is None:
            return
        numbers = [int(message.id) for message in taken.messages]
        self.finished[queue].update(numbers)
        outbox = [Outgoing("bus", Message(str(number), "out", b"")) for number in numbers if posts]
        self.queues[queue].finish(taken, len(taken.messages), outbox)

    def retry(self, queue: str, limit: int, delay: float) -> None:
        """Some are to come again."""
        if (taken := self.take(queue, limit)) is not None:
            while taken.left:
                self.queues[queue].retry(taken, delay, failed=True)

    def bury(self, queue: str, limit: int) -> None:
        """Some can't be done."""
        if (taken := self.take(queue, limit)) is not None:
            while taken.left:
                message = taken.messages[taken.done]
                self.buried[queue][int(message.id)] += 1
                self.queues[queue].bury(taken, True, DeadLetter(message, "reason", 1, self.clock.seconds()))

    def script(self) -> Iterator[None]:
        """All of it; a commit is due at each yield."""
        self.receive(3)
        yield
        self.finish("all", 2)
        yield
        self.receive(9)
        self.retry("all", 1, 5.0)
        self.finish("some", 1, posts=True)
        yield
        self.bury("all", 2)
        self.bury("some", 1)
        self.retry("some", 2, 5.0)
        yield
        self.finish("all", 4)
        self.receive(2)
        yield
        self.clock.advance(6.0)
        self.finish("all", 1)
        self.finish("some", 4, posts=True)
        yield
        self.retry("all", 4, 60.0)
        self.receive(1)
        self.finish("some", 9)
        yield
        for _ in range(4):
            self.finish("all", 4)
        yield
        self.clock.advance(61.0)
        self.finish("all", 2)
        self.receive(5)
        self.bury("all", 1)
        yield
        self.finish("some", 1, posts=True)
        self.retry("some", 1, 60.0)
        yield

    # -- what must be true

    def unsettled(self, queue: str) -> set[int]:
        """What the truth says is left of it, of all that came."""
        came = {number for number in range(self._next) if wanted(queue, number)}
        return came - self.finished[queue] - self.buried[queue].keys()

    def survives_a_kill(self, scratch: Path) -> None:
        """Whatever was confirmed is, in what is on the disk now, waiting, or done, or dead."""
        found = _on_disk(self.directory, scratch, self.clock)
        for queue in TOPICS:
            waiting, letters = found.get(queue, (set(), Counter()))
            safe = waiting | letters.keys() | self.finished[queue]
            lost = {number for number in self.confirmed if wanted(queue, number)} - safe
            assert not lost, (queue, lost)
            twice = waiting & letters.keys()
            assert not twice, (queue, twice)

    def is_exact(self, scratch: Path) -> None:
        """What is on the disk is the truth."""
        assert self.confirmed == set(range(self._next))
        found = _on_disk(self.directory, scratch, self.clock)
        for queue in TOPICS:
            assert found[queue] == (self.unsettled(queue), self.buried[queue]), queue


def _on_disk(directory: Path, scratch: Path, clock: Clock) -> dict[str, tuple[set[int], Counter[int]]]:
    """By queue, what waits and what is dead, as the next start would find it."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    shutil.copyfile(directory / "log.mdb", scratch / "log.mdb")
    store = store_in(scratch, clock, Tables(scratch, sync=False))
    try:
        return {name: (_waiting(store, name, clock), _letters(store, name)) for name in store.queues()}
    finally:
        store.close()


def _waiting(store: DurableStore, name: str, clock: Clock) -> set[int]:
    """Drain it, and its books must agree with what came out."""
    queue = Queue(name, POLICY, store, clock.seconds, clock.seconds)
    counters = queue.stats().counters
    assert counters.received == counters.finished + counters.dead + counters.dropped + counters.backlog
    found: Counter[int] = Counter()
    clock_was, clock_is = clock.seconds(), 0.0
    while (taken := queue.take(9, timeout=0)) is not None or clock_is < 3:
        if taken is None:
            clock.advance(100.0)
            clock_is += 1
            continue
        found.update(int(message.id) for message in taken.messages)
        queue.finish(taken, len(taken.messages))
    clock.rightNow = clock_was
    assert found.total() == len(found) == counters.backlog, (found, counters)
    assert queue.stats().counters.dropped == counters.dropped == 0
    return set(found)


def _letters(store: DurableStore, name: str) -> Counter[int]:
    return Counter(int(letter.message.id) for letter in store.dead_letters(name))
