"""What an operator orders, on real queues and crews: what holds when, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.consumer import Context
from hub.control.standing import STANDING_FILE, StandingOrders
from hub.control.steering import Steering
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.parts.fleet import Fleet
from hub.parts.roster import Roster
from hub.router import Router
from hub.store.memory import MemoryStore
from hub.workers.crew import spawn
from hub.workers.supervisor import Supervisor
from hub.workers.worker import Surroundings
from tests.support import wait_until
from tests.unit.doubles import FakeReactor, Scripted, consumer_part, messages, none_at_all, offer


class Desk:
    """Steering with all that it needs; ``again`` is the same after a restart, of the queues in memory too."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock()
        self.store = MemoryStore()
        self.begin()

    def begin(self) -> None:
        seconds = self.clock.seconds
        around = Surroundings(seconds, seconds, none_at_all)
        none = lambda *_: None  # noqa: E731 - it stands for three callbacks
        self.roster = Roster(around, self.store, self.store, none, self.directory, none, True)
        enqueuer = Enqueuer(Router([]), self.store, seconds, none)
        fleet = Fleet({}, FakeReactor(), enqueuer, seconds)
        self.standing = StandingOrders(self.directory / STANDING_FILE)
        supervisor = Supervisor(self.roster.crews, seconds)
        self.steering = Steering(self.roster, fleet, enqueuer, self.store, supervisor, self.standing, seconds)

    def hire(self, name: str, cls: type[Scripted] = Scripted) -> Scripted:
        part = consumer_part(name, cls)
        consumer = self.roster.make(part)
        assert isinstance(consumer, Scripted)
        self.roster.hire(part, consumer)
        return consumer

    def stop(self, name: str) -> None:
        assert self.roster.stop(name).gone.wait(10)

    def end(self) -> None:
        for name in self.roster.members:
            self.stop(name)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.end()


def test_one_that_is_paused_is_given_nothing_when_it_comes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first thread may run before its crew's ``start`` returns."""
    desk.hire("c")
    desk.steering.pause("c", None)
    desk.stop("c")
    offer(desk.steering.queue("c"), messages(3))
    desk.steering.queue("c").resume()  # as at a restart: only the file knows of it

    def eager(target: Callable[[], None], name: str) -> threading.Thread:
        thread = spawn(target, name)
        thread.join(0.05)
        return thread

    monkeypatch.setattr("hub.workers.crew.Crew.__init__.__defaults__", (eager,), raising=False)
    consumer = desk.hire("c")
    assert desk.roster.members["c"].crew.started.wait(10)
    assert desk.steering.queue("c").paused
    assert consumer.seen == []
    desk.steering.resume("c")
    wait_until(lambda: len(consumer.seen) == 3)


def test_a_pause_ends_once_and_is_forgotten(desk: Desk) -> None:
    desk.hire("c")
    desk.steering.pause("c", 5.0)
    desk.clock.advance(5.0)
    assert desk.steering.end_pauses() == ["c"]
    assert desk.steering.end_pauses() == []
    assert not desk.steering.queue("c").paused
    assert not StandingOrders(desk.directory / STANDING_FILE).paused("c")


def test_the_end_of_a_pause_waits_for_a_consumer_that_is_away(desk: Desk) -> None:
    desk.hire("c")
    desk.steering.pause("c", 5.0)
    desk.stop("c")
    desk.roster.dismiss("c")
    desk.clock.advance(9.0)
    assert desk.steering.end_pauses() == []
    desk.hire("c")
    assert desk.steering.queue("c").paused
    assert desk.steering.end_pauses() == ["c"]
    assert not desk.steering.queue("c").paused


def test_a_queue_that_is_deleted_takes_its_orders_with_it(desk: Desk) -> None:
    desk.hire("c")
    desk.steering.pause("c", None)
    desk.stop("c")
    desk.roster.dismiss("c")
    desk.steering.delete("c")
    desk.hire("c")
    assert not desk.steering.queue("c").paused


class Blocking(Scripted):
    """Holds its messages until it is told to go on."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.busy = threading.Semaphore(0)
        self.go_on = threading.Event()

    def consume(self, message: Message) -> None:
        self.busy.release()
        self.go_on.wait(10)
        super().consume(message)


def test_threads_that_were_dismissed_are_waited_for_when_their_consumer_is_replaced(desk: Desk) -> None:
    old = desk.hire("c", Blocking)
    assert isinstance(old, Blocking)
    crew = desk.roster.members["c"].crew
    assert crew.started.wait(10)
    assert desk.steering.set_threads("c", 2) == 1
    for one in messages(2):
        offer(desk.steering.queue("c"), [one])
    assert old.busy.acquire(timeout=10)
    assert old.busy.acquire(timeout=10)
    assert desk.steering.set_threads("c", 1) == 2
    desk.roster.stop("c")
    assert not crew.gone.wait(0.05)
    old.go_on.set()
    assert crew.gone.wait(10)
    new = desk.hire("c")
    offer(desk.steering.queue("c"), messages(3)[2:])
    wait_until(lambda: new.seen == ["2"])
    assert sorted(old.seen) == ["0", "1"]
    assert len(desk.roster.members["c"].crew.workers) == 1
