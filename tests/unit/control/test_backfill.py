"""A consumer's beginning: all that is kept, in steps, and no faster than the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet import task

from hub.control.backfill import ROOM_EVERY, Backfills
from hub.control.cooperative import MOMENT, MOST_PENDING
from hub.control.replay import Replayed, ReplayOrder, replay
from hub.enqueuer import Enqueuer
from hub.parts.queue_entry import Member
from hub.parts.queues import Queues
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.stats.rates import Rates
from hub.store.durable import DurableStore
from tests.unit.doubles import FakeReactor, RecordingLog, consumer_part, make_queue, message

PART = consumer_part("late", begin=600.0)


class FakeHub:
    """Of one consumer in memory, whose replay has so many steps, and raises at the end what it is told to."""

    def __init__(self, steps: int, error: Exception | None = None) -> None:
        self.queues: Any = self
        self.store: Any = self
        self.reactor: Any = FakeReactor()
        self.given = 0
        self.waiting = 0
        self.not_taken = 0
        self.late = make_queue(lambda: 0.0, name="late")
        self._steps = steps
        self._error = error

    def begin(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        Backfills(self, self.late.store, goes_on, lambda: 1000.0).started(PART)  # type: ignore[arg-type]

    def member(self, name: str) -> Any:
        return SimpleNamespace(queue=self.late)

    def pending(self) -> int:
        return self.waiting

    def replay(self, order: ReplayOrder, waits: bool) -> Iterator[Replayed]:
        assert (waits, order) == (True, ReplayOrder("late", 400.0, 1000.0))
        for _ in range(self._steps):
            self.given += 1
            yield Replayed(self.given, 0, 0.0, self.not_taken)
        if self._error is not None:
            raise self._error


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> FakeReactor:
    """The reactor of ``cooperate``."""
    reactor = FakeReactor()
    one_step_a_turn = lambda: lambda: True  # noqa: E731 - a factory of predicates
    together = task.Cooperator(one_step_a_turn, lambda call: reactor.callLater(0.001, call))
    monkeypatch.setattr("hub.control.backfill.cooperate", together.cooperate)
    real = replay
    scripted = lambda hub, order, waits: (  # noqa: E731 - it stands for the function
        hub.replay(order, waits) if isinstance(hub, FakeHub) else real(hub, order, waits)
    )
    monkeypatch.setattr("hub.control.backfill.replay", scripted)
    return reactor


def test_all_is_given_a_step_a_turn(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    hub.begin()
    turns.advance(0.001)
    assert hub.given == 1
    turns.pump([0.001] * 10)
    assert hub.given == 5


def test_it_waits_for_the_disk(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    hub.waiting = MOST_PENDING + 1
    hub.begin()
    turns.pump([0.001] * 10)
    assert hub.given == 1
    hub.waiting = 0
    hub.reactor.advance(MOMENT)
    turns.pump([0.001] * 10)
    assert hub.given == 5


def test_it_ends_with_the_hub(turns: FakeReactor) -> None:
    hub, goes_on = FakeHub(5), [True, True, True, False]
    hub.begin(lambda: goes_on.pop(0))
    turns.pump([0.001] * 10)
    assert hub.given == 3


def test_what_ends_it_early_is_told(turns: FakeReactor, caplog: pytest.LogCaptureFixture) -> None:
    FakeHub(1, OSError(5, "no disk")).begin()
    turns.pump([0.001] * 10)
    assert "the backfill of consumer late failed: [Errno 5] no disk" in caplog.text


def test_it_waits_while_the_queue_is_full(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    hub.not_taken = 3
    hub.begin()
    turns.pump([0.001] * 20)
    assert hub.given == 1
    hub.not_taken = 0
    hub.reactor.advance(ROOM_EVERY)
    turns.pump([0.001] * 20)
    assert hub.given == 5


# -- on the disk


class Disk:
    """A hub on a store, that is ended and begun anew."""

    def __init__(self, directory: Path, turns: FakeReactor) -> None:
        self.directory, self.turns, self.goes_on = directory, turns, True
        self.reactor = FakeReactor()
        self.open()

    def open(self) -> None:
        self.store = DurableStore(
            self.directory, RecordingLog(), keep=1e6, threaded=False, sync=False, wall=lambda: 9e5
        )
        self.enqueuer = Enqueuer(Router([]), self.store, lambda: 9e5, lambda: None)
        self.queues, self.wall = Queues(self.store), lambda: 9e5
        self.backfills = Backfills(self, self.store, lambda: self.goes_on, lambda: 9e5)  # type: ignore[arg-type]

    def receive(self, *numbers: int) -> None:
        for number in numbers:
            self.enqueuer.receive([message(number)], None)
            self.store.writer.step()

    def start(self, begin: float = 9e5) -> None:
        queue = Queue("late", QueuePolicy(), self.store, lambda: 0.0, lambda: 9e5)
        part = consumer_part("late", begin=begin)
        self.queues.members["late"] = Member(part, queue, None, Rates())  # type: ignore[arg-type]
        self.backfills.started(part)
        self.enqueuer.router = Router([(["#"], queue)])

    def pump(self, steps: int) -> None:
        """The writer keeps up."""
        for _ in range(steps):
            self.store.writer.step()
            self.reactor.advance(ROOM_EVERY)
            self.turns.advance(0.001)

    def end(self) -> None:
        """A kill: what is not committed is gone."""
        self.goes_on = False
        self.pump_nothing()
        self.store.tables.close()
        self.goes_on = True
        self.open()

    def pump_nothing(self) -> None:
        self.turns.pump([0.001] * 5)

    def given(self) -> list[str]:
        queue = self.queues.members["late"].queue
        taken = queue.take(999, timeout=0)
        if taken is None:
            return []
        queue.finish(taken, len(taken.messages))
        return [one.id for one in taken.messages]


@pytest.fixture
def disk(tmp_path: Path, turns: FakeReactor) -> Iterator[Disk]:
    made = Disk(tmp_path, turns)
    yield made
    made.goes_on = False
    made.pump_nothing()
    made.store.close()


def test_what_is_kept_is_given_and_what_comes_meanwhile_is_not_given_twice(disk: Disk) -> None:
    disk.receive(*range(5))
    disk.start()
    disk.receive(5, 6)
    disk.pump(12)
    assert sorted(disk.given()) == [str(number) for number in range(7)]
    assert disk.store.beginning("late") is None


@pytest.mark.parametrize("steps", range(1, 12))
def test_one_that_a_kill_interrupts_goes_on_where_it_was(disk: Disk, steps: int) -> None:
    disk.receive(*range(6))
    disk.start()
    disk.pump(steps)
    found = disk.given()
    disk.store.writer.step()
    disk.end()
    disk.start(begin=0.0 if disk.store.beginning("late") else 9e5)
    disk.receive(6)
    disk.pump(15)
    found += disk.given()
    assert {*found} == {str(number) for number in range(7)}
    assert len(found) <= 8
    assert disk.store.beginning("late") is None


def test_it_is_told_where_it_goes_on_and_how_much_there_was(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    disk.receive(*range(4))
    disk.start()
    disk.pump(3)
    disk.end()
    assert "the rest follows when it is back" in caplog.text
    disk.start()
    disk.pump(12)
    assert "consumer late continues its backfill" in caplog.text
    assert "kept messages" in caplog.text.splitlines()[-1]


def test_a_consumer_that_is_taken_out_and_comes_back_is_given_the_rest(disk: Disk) -> None:
    disk.receive(*range(4))
    disk.start()
    disk.pump(3)
    member = disk.queues.members.pop("late")
    disk.pump(3)
    disk.queues.members["late"] = member
    disk.backfills.started(member.part)
    disk.pump(12)
    assert disk.given() == ["0", "1", "2", "3"]


def test_it_waits_while_the_consumer_is_drained(disk: Disk) -> None:
    disk.receive(*range(4))
    disk.start()
    queue = disk.queues.members["late"].queue
    queue.drain()
    disk.pump(6)
    assert disk.store.beginning("late") is not None
    queue.resume()
    disk.pump(12)
    assert disk.given() == ["0", "1", "2", "3"]


def test_what_fits_of_a_large_batch_is_given_and_told_when_the_hub_ends(
    disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.enqueuer.receive([message(number) for number in range(5)], None)
    disk.store.writer.step()
    disk.start()
    disk.queues.members["late"].queue.adopt(QueuePolicy(2, None, overflow="block"))
    disk.pump(3)
    disk.goes_on = False
    disk.pump(1)
    assert "consumer late was given 2 kept messages; the rest follows when it is back" in caplog.text
    assert disk.given() == ["0", "1"]
