"""A queue with priorities against a simple model of it: by priority, then in order, over kills of the hub."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue import purge
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.queue.reader import Reader
from hub.queue.singles import Singles
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.fsck.check import Check
from tests.unit.doubles import RecordingLog

SMALL = Window(16, 4000)
"""A level has two messages of it in memory."""


@dataclass
class Known:
    """A message of the model. :ivar due: seconds before which it is not delivered."""

    number: int
    priority: int
    due: float = 0.0


class PrioritiesMachine(RuleBasedStateMachine):
    """Every rule does one thing to the queue and the same to the model."""

    @initialize()
    def begin(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.waiting: dict[int, Known] = {}
        self.in_hand: dict[int, tuple[Known, Delivery]] = {}
        self.aside: dict[int, tuple[Known, Delivery]] = {}
        self.number = self.purged = 0
        self.returned: set[int] = set()
        """Numbers of those that wait and were taken before, since the hub started."""
        self.open()

    def open(self) -> None:
        seconds = self.clock.seconds
        self.store = DurableStore(
            Path(self.directory.name), RecordingLog(), threaded=False, sync=False, wall=seconds, monotonic=seconds
        )
        policy = QueuePolicy(None, None, window=SMALL, expires=True, purge_tried=True)
        self.queue = Queue("q", policy, self.store, seconds, seconds)
        self.queue.backlog.levels.of(9)  # without any, retries and others take turns
        self.enqueuer = Enqueuer(Router([]), self.store, seconds, lambda: None)
        self.reader = Reader(self.queue, lambda: None, lambda call: call())
        self.singles = Singles(self.queue)

    def batch(self, count: int, priority: int, due: float = 0.0) -> list[Message]:
        numbers = range(self.number, self.number + count)
        self.number += count
        self.waiting.update({n: Known(n, priority, due) for n in numbers})
        return [Message(str(n), "q", bytes(n % 500), {}, self.clock.seconds()) for n in numbers]

    @rule(count=st.integers(1, 12), priority=st.sampled_from([4, 4, 0, 3, 7, 9]))
    def put(self, count: int, priority: int) -> None:
        assert self.enqueuer.put(self.queue, self.batch(count, priority), None, None, priority) == set()

    @rule(count=st.integers(1, 3), priority=st.sampled_from([4, 0, 9]), delay=st.integers(1, 4))
    def put_later(self, count: int, priority: int, delay: int) -> None:
        batch = self.batch(count, priority, self.clock.seconds() + delay)
        assert self.enqueuer.put_later(self.queue, batch, [float(delay)] * count, None, priority) == set()

    @rule(limit=st.integers(1, 20))
    def take(self, limit: int) -> None:
        for delivery in self.reader.take_each(limit):
            (one,) = delivery.messages
            due = [known for known in self.waiting.values() if known.due <= self.clock.seconds()]
            highest = [known for known in due if known.priority == max(known.priority for known in due)]
            assert int(one.id) == min([known.number for known in highest])
            assert delivery.priority == highest[0].priority
            self.in_hand[int(one.id)] = self.waiting.pop(int(one.id)), delivery

    def some(self, data: st.DataObject) -> list[int]:
        return data.draw(st.lists(st.sampled_from(sorted(self.in_hand)), min_size=1, max_size=5, unique=True))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        self.singles.finish([self.in_hand.pop(number)[1] for number in self.some(data)])

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), delivered=st.booleans())
    def give_back(self, data: st.DataObject, delivered: bool) -> None:
        chosen = [self.in_hand.pop(number) for number in self.some(data)]
        self.singles.give_back([delivery for _, delivery in chosen], delivered)
        self.returned.update([known.number for known, _ in chosen])
        for known, _ in chosen:
            self.waiting[known.number] = Known(known.number, known.priority)

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), delivered=st.booleans())
    def set_aside(self, data: st.DataObject, delivered: bool) -> None:
        chosen = {number: self.in_hand.pop(number) for number in self.some(data)}
        self.singles.set_aside([delivery for _, delivery in chosen.values()], delivered)
        self.aside |= chosen

    @precondition(lambda self: self.aside)
    @rule(data=st.data())
    def reclaim(self, data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(sorted(self.aside)), min_size=1, max_size=5, unique=True))
        found = {number: self.aside.pop(number) for number in chosen}
        deliveries = [delivery for _, delivery in found.values()]
        assert self.singles.reclaim(deliveries) == deliveries
        assert self.singles.reclaim(deliveries) == []
        self.in_hand |= found

    @rule()
    def change_the_reader(self) -> None:
        """What it has set aside comes back to its place; what it has in hand it still has."""
        self.reader.close()
        self.return_to_their_place(self.aside)
        self.reader = Reader(self.queue, lambda: None, lambda call: call())

    def return_to_their_place(self, those: dict[int, tuple[Known, Delivery]]) -> None:
        for known, _ in those.values():
            self.waiting[known.number] = Known(known.number, known.priority)
        self.returned.update(those)
        those.clear()

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), delay=st.integers(0, 4))
    def retry(self, data: st.DataObject, delay: int) -> None:
        known, delivery = self.in_hand.pop(self.some(data)[0])
        self.queue.retry(delivery, float(delay), failed=True)
        due = self.clock.seconds() + delay
        self.returned.add(known.number)
        self.waiting[known.number] = Known(known.number, known.priority, due)

    @rule(data=st.data())
    def finish_late(self, data: st.DataObject) -> None:
        """Whatever it waits behind: one that was taken before is settled, and no other."""
        if not (numbers := sorted({*self.waiting, *self.aside, *self.in_hand})):
            return
        number = data.draw(st.sampled_from(numbers))
        wanted = number in self.aside or number in self.returned & {*self.waiting}
        if self.reader.finish_waiting(number):
            assert number not in self.in_hand
            self.waiting.pop(number, None)
            self.aside.pop(number, None)
        else:
            assert not wanted

    @rule(data=st.data(), part=st.integers(1, 9))
    def purge(self, data: st.DataObject, part: int) -> None:
        """All that waited goes, and neither what is taken between two parts nor what comes meanwhile."""
        old, taken, told = {*self.waiting, *self.aside}, 0, [0]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(purge, "POSITIONS_AT_ONCE", part)
            for dropped in purge.purge_steps(self.queue):
                told.append(dropped)
                for delivery in self.reader.take_each(data.draw(st.integers(0, 1))):
                    number = int(delivery.current.id)
                    taken += number in old
                    self.in_hand[number] = self.waiting.pop(number), delivery
                if data.draw(st.booleans()):
                    self.put(1, data.draw(st.sampled_from([4, 0, 9])))
        assert told == sorted(told)
        assert told[-1] == len(old) - taken
        self.purged += told[-1]
        self.waiting = {number: known for number, known in self.waiting.items() if number not in old}
        self.aside.clear()

    @rule(seconds=st.integers(1, 3))
    def let_time_pass(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.queue.expire()

    @rule()
    def commit(self) -> None:
        assert self.store.writer.step()
        with self.store.tables.reading() as transaction:
            assert list(Check(self.store.tables, transaction).problems()) == []

    @rule()
    def kill(self) -> None:
        """What is in hand or set aside comes back to its place."""
        self.commit()
        self.store.tables.close()
        for known, _ in (*self.in_hand.values(), *self.aside.values()):
            self.waiting[known.number] = Known(known.number, known.priority)
        self.in_hand.clear()
        self.aside.clear()
        self.returned.clear()
        self.open()

    @invariant()
    def the_backlog_is_that_of_the_model(self) -> None:
        if not hasattr(self, "queue"):
            return
        stats = self.queue.stats()
        assert stats.counters.backlog == len(self.waiting) + len(self.in_hand) + len(self.aside)
        assert (stats.in_flight, stats.counters.dropped) == (len(self.in_hand), self.purged)
        peeked = self.queue.inspect.peek(self.number + 1)
        assert {int(one.id) for _, _, one, _ in peeked} <= {*self.waiting, *self.in_hand, *self.aside}
        states = {int(one.id): state for _, state, one, _ in peeked}
        assert {states[number] for number in self.in_hand} <= {"in flight"}
        assert {states[number] for number in self.aside} <= {"waiting", "retry"}

    def teardown(self) -> None:
        """At the end nothing is stuck, and no row of the store is left."""
        if not hasattr(self, "queue"):
            return
        self.clock.advance(10)
        self.change_the_reader()
        self.singles.finish([delivery for _, delivery in self.in_hand.values()])
        self.in_hand.clear()
        while self.waiting:
            self.take(50)
            assert self.in_hand
            self.singles.finish([delivery for _, delivery in self.in_hand.values()])
            self.in_hand.clear()
        assert self.store.writer.step()
        with self.store.tables.reading() as transaction:
            assert [
                transaction.stat(table)["entries"] for table in (self.store.tables.levels, self.store.tables.tries)
            ] == [0, 0]
        assert (self.queue.backlog.total_size, len(self.queue.backlog.levels.positions)) == (0, 0)
        self.store.close()
        self.directory.cleanup()


PrioritiesMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestPrioritiesModel = PrioritiesMachine.TestCase
