"""All parts together: what a reload that meets trouble leaves, and says."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from hub.configuration.schema import Configuration, HubSettings, Part
from hub.consumer import Consumer, Context
from hub.enqueuer import Enqueuer
from hub.parts.changes import Changes
from hub.parts.exports import Exports
from hub.parts.fleet import Fleet
from hub.parts.made import Made
from hub.parts.roster import Roster
from hub.parts.running import TRY_TIMEOUT, Running
from hub.parts.servers import Servers
from hub.router import Router
from hub.store.memory import MemoryStore
from hub.tracing import Tracing
from hub.workers.worker import Surroundings
from tests.support import wait_until
from tests.unit.doubles import FakeReactor, RecordingBackend, Scripted, backend_part, consumer_part, most

EMPTY = Configuration(None, HubSettings(), Path("/nonexistent"), Path("/nonexistent/hub.sock"))


class Lossy(RecordingBackend):
    holds_back = False


class Desk:
    """The parts of a hub; ``threads`` is how many consumers can be started, for want of threads."""

    def __init__(self, threads: int = 99) -> None:
        self.reactor, store = FakeReactor(), MemoryStore()
        seconds, none = self.reactor.seconds, lambda *_: None
        self.threads = threads
        self.roster = Roster(
            Surroundings(seconds, seconds, most), store, store, none, Path("/nonexistent"), lambda: None, True
        )
        self.fleet = Fleet({}, self.reactor, Enqueuer(Router([]), store, seconds, lambda: None), seconds)
        exports, servers = Exports(dict, lambda *_: None, Tracing()), Servers(self.reactor, none)  # type: ignore[arg-type]
        self.running = Running(self.roster, self.fleet, exports, servers, self.hire)

    def hire(self, part: Part, consumer: Consumer) -> None:
        if not self.threads:
            raise RuntimeError("can't start new thread")
        self.threads -= 1
        self.roster.hire(part, consumer)


def test_a_consumer_that_can_not_be_started_is_told_of_and_not_in_force() -> None:
    desk = Desk(threads=1)
    new = replace(EMPTY, consumers={name: consumer_part(name) for name in ("a", "b")})
    changes = Changes.between(EMPTY, new)
    made = desk.running.make(changes, new)
    assert desk.running.replace_consumers(new, made, changes) == ["consumers.b: RuntimeError: can't start new thread"]
    assert list(desk.running.parts()["consumers"]) == ["a"]
    assert desk.roster.stop("a").gone.wait(10)


class Choosy(Scripted):
    """Does not start where its name is ``bad``, and not before it is told so where that is ``slow``."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.go_on = threading.Event()

    def start(self) -> None:
        if self.context.name == "bad":
            raise RuntimeError("no such table")
        if self.context.name == "slow":
            self.go_on.wait(10)


def let_go(desk: Desk, made: Made) -> None:
    for name, consumer in made.consumers.items():
        assert isinstance(consumer, Choosy)
        consumer.go_on.set()
        assert desk.roster.stop(name).gone.wait(10)


def test_a_consumer_that_does_not_start_is_told_of_and_a_slow_one_is_not_waited_for() -> None:
    desk = Desk()
    new = replace(EMPTY, consumers={name: consumer_part(name, Choosy) for name in ("good", "bad", "slow")})
    changes = Changes.between(EMPTY, new)
    made = desk.running.make(changes, new)
    assert desk.running.replace_consumers(new, made, changes) == []
    crews = {name: member.crew for name, member in desk.roster.members.items()}
    wait_until(lambda: bool(crews["good"].started.is_set() and crews["bad"].start_error))
    told: list[list[str]] = []
    desk.running.await_started(made, lambda: False, desk.reactor).addCallback(told.append)
    desk.reactor.advance(TRY_TIMEOUT * 0.9)
    assert told == []
    desk.reactor.advance(TRY_TIMEOUT)
    assert told == [["consumers.bad: does not start: RuntimeError: no such table; it is tried again"]]
    let_go(desk, made)


def test_a_hub_that_stops_meanwhile_does_not_wait_for_them() -> None:
    desk = Desk()
    new = replace(EMPTY, consumers={"slow": consumer_part("slow", Choosy)})
    changes = Changes.between(EMPTY, new)
    made = desk.running.make(changes, new)
    desk.running.replace_consumers(new, made, changes)
    told: list[list[str]] = []
    desk.running.await_started(made, lambda: True, desk.reactor).addCallback(told.append)
    assert told == [[]]
    let_go(desk, made)


def test_what_a_full_queue_does_goes_by_the_buses_that_there_are_now() -> None:
    desk = Desk()
    first = replace(EMPTY, consumers={"a": consumer_part("a")})
    changes = Changes.between(EMPTY, first)
    desk.running.replace_consumers(first, desk.running.make(changes, first), changes)
    queue = desk.roster.members["a"].queue
    assert queue.policy.overflow == "block"
    second = replace(first, backends={"bus": backend_part("bus", Lossy)})
    changes = Changes.between(first, second)
    done: list[object] = []
    desk.running.replace_backends(second, desk.running.make(changes, second), changes).addCallback(done.append)
    assert (done, queue.policy.overflow) == ([[]], "drop_newest")
    assert list(desk.running.parts()["backends"]) == ["bus"]
    assert desk.roster.stop("a").gone.wait(10)
