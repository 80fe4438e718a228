"""What an operator orders, on real queues and crews: what holds when, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.consumer import Context
from hub.control.holds import HOLDS_FILE, Holds
from hub.errors import HubError
from hub.message import Message
from hub.parts.queues import NoSuchQueue
from hub.queue.queue import Queue
from hub.store.memory import MemoryStore
from hub.workers.crew import spawn
from hub.workers.runtime import Runtime
from tests.support import wait_until
from tests.unit.doubles import Scripted, consumer_part, make_consumers, messages, none_at_all, offer


class Desk:
    """Queues with all that it needs; ``again`` is the same after a restart, of the queues in memory too."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock()
        self.store = MemoryStore()
        self.begin()

    def begin(self) -> None:
        seconds = self.clock.seconds
        around = Runtime(seconds, seconds, none_at_all)
        self.holds = Holds(self.directory / HOLDS_FILE, seconds)
        self.consumers = make_consumers(around, self.store, directory=self.directory, holds=self.holds)
        self.queues = self.consumers.queues

    def queue(self, name: str) -> Queue:
        return self.queues.member(name).queue

    def pause(self, name: str, until: float | None) -> None:
        self.holds.pause(self.queues.member(name), until)

    def resume(self, name: str) -> None:
        self.holds.resume(self.queues.member(name))

    def end_pauses(self) -> list[str]:
        return self.holds.end_pauses(self.queues.active)

    def delete(self, name: str) -> None:
        self.queues.delete(name)
        self.holds.forget(name)

    def start(self, name: str, cls: type[Scripted] = Scripted) -> Scripted:
        part = consumer_part(name, cls)
        consumer = self.consumers.prepare(part)
        assert isinstance(consumer, Scripted)
        self.consumers.start(part, consumer)
        return consumer

    def stop(self, name: str) -> None:
        assert self.consumers.stop_crew(name).gone.wait(10)

    def end(self) -> None:
        for name in self.consumers.members:
            self.stop(name)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.end()


def test_one_that_is_paused_is_given_nothing_when_it_comes_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first thread may run before its crew's ``start`` returns."""
    desk.start("c")
    desk.pause("c", None)
    desk.stop("c")
    offer(desk.queue("c"), messages(3))
    desk.queue("c").resume()  # as at a restart: only the file knows of it

    def eager(target: Callable[[], None], name: str) -> threading.Thread:
        thread = spawn(target, name)
        thread.join(0.05)
        return thread

    monkeypatch.setattr("hub.workers.crew.Crew.__init__.__defaults__", (eager, None), raising=False)
    consumer = desk.start("c")
    assert desk.consumers.members["c"].crew.started.wait(10)
    assert desk.queue("c").paused
    assert consumer.seen == []
    desk.resume("c")
    wait_until(lambda: len(consumer.seen) == 3)


def test_one_that_is_drained_is_drained_when_it_comes_back(desk: Desk) -> None:
    desk.start("c")
    desk.holds.drain(desk.queues.member("c"))
    desk.stop("c")
    desk.queue("c").resume()  # as at a restart: only the file knows of it
    desk.begin()
    desk.start("c")
    assert desk.queue("c").draining
    desk.resume("c")
    assert not desk.queue("c").draining


def test_the_queue_of_a_consumer_is_not_deleted(desk: Desk) -> None:
    desk.start("c")
    with pytest.raises(HubError, match="'c' is the queue of a consumer: take it out of the configuration"):
        desk.queues.delete("c")
    assert desk.queue("c") is desk.consumers.members["c"].queue
    with pytest.raises(NoSuchQueue, match="no consumer is called 'd', and no queue"):
        desk.queues.delete("d")


def test_a_pause_ends_once_and_is_forgotten(desk: Desk) -> None:
    desk.start("c")
    desk.pause("c", 5.0)
    desk.clock.advance(5.0)
    assert desk.end_pauses() == ["c"]
    assert desk.end_pauses() == []
    assert not desk.queue("c").paused
    assert not Holds(desk.directory / HOLDS_FILE, desk.clock.seconds).paused("c")


def test_the_end_of_a_pause_waits_for_a_consumer_that_is_away(desk: Desk) -> None:
    desk.start("c")
    desk.pause("c", 5.0)
    desk.stop("c")
    desk.consumers.remove(["c"])
    desk.clock.advance(9.0)
    assert desk.end_pauses() == []
    desk.start("c")
    assert desk.queue("c").paused
    assert desk.end_pauses() == ["c"]
    assert not desk.queue("c").paused


def test_a_queue_that_is_deleted_takes_its_orders_with_it(desk: Desk) -> None:
    desk.start("c")
    desk.pause("c", None)
    desk.stop("c")
    desk.consumers.remove(["c"])
    desk.delete("c")
    desk.start("c")
    assert not desk.queue("c").paused


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
    old = desk.start("c", Blocking)
    assert isinstance(old, Blocking)
    crew = desk.consumers.members["c"].crew
    assert crew.started.wait(10)
    assert crew.resize(2) == 1
    for one in messages(2):
        offer(desk.queue("c"), [one])
    assert old.busy.acquire(timeout=10)
    assert old.busy.acquire(timeout=10)
    assert crew.resize(1) == 2
    desk.consumers.stop_crew("c")
    assert not crew.gone.wait(0.05)
    old.go_on.set()
    assert crew.gone.wait(10)
    new = desk.start("c")
    offer(desk.queue("c"), messages(3)[2:])
    wait_until(lambda: new.seen == ["2"])
    assert sorted(old.seen) == ["0", "1"]
    assert len(desk.consumers.members["c"].crew.workers) == 1
