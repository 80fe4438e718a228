"""All parts together, of whatever kind: how they start, what a reload makes of them, how they end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from hub.configuration.schema import Configuration, HubSettings, Part
from hub.configuration.section import Phase
from hub.consumer import Consumer, Context
from hub.enqueuer import Enqueuer
from hub.errors import ConfigError, HubError
from hub.http.mounts import PluginMounts
from hub.parts.backends import Backends
from hub.parts.changes import Changes, in_force
from hub.parts.consumers import Consumers
from hub.parts.flow_control import FlowControl
from hub.parts.manager import status_of
from hub.parts.parts import Parts
from hub.parts.waiting import within
from hub.router import Router
from hub.service import TRY_TIMEOUT
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import declared_queues
from hub.workers.callback_event import CallbackEvent
from hub.workers.runtime import Runtime
from tests.support import wait_until
from tests.unit.doubles import (
    FakeReactor,
    RecordingBackend,
    Scripted,
    backend_part,
    consumer_part,
    make_consumers,
    most,
)

result_of = SynchronousTestCase().successResultOf


def configuration(**parts: Mapping[str, Part]) -> Configuration:
    return Configuration(None, HubSettings(), Path("/nonexistent"), Path("/nonexistent/hub.sock"), parts)


class Lossy(RecordingBackend):
    holds_back = False


class Poor(Consumers):
    """There are only so many threads to start consumers with."""

    threads = 99

    def start(self, part: Part, prepared: Consumer) -> None:
        if not self.threads:
            raise RuntimeError("can't start new thread")
        self.threads -= 1
        super().start(part, prepared)


class Desk:
    """Consumers and backends, and a configuration in force."""

    def __init__(self) -> None:
        self.reactor, store, self.flow = FakeReactor(), MemoryStore(), FlowControl()
        seconds = self.reactor.seconds
        made = make_consumers(Runtime(seconds, seconds, most), store, holds_back=lambda: self.flow.holds_back)
        made.__class__ = Poor
        self.consumers: Any = made
        enqueuer = Enqueuer(Router([]), store, seconds, lambda: None)
        backends = Backends(self.flow, self.reactor, enqueuer, seconds, declared_queues(enqueuer, store))
        self.parts = Parts({"consumers": made, "backends": backends}, PluginMounts())
        self.now = configuration()
        self.prepared: Any = None

    def reload(self, new: Configuration, phase: Phase = Phase.WORKERS) -> list[str]:
        changes = Changes.between(self.now, new)
        self.prepared = self.parts.prepare(changes.wanted(new))
        result_of(self.parts.hand_over(changes, 10.0))
        problems: list[str] = result_of(self.parts.apply(phase, new, changes, self.prepared))
        self.now = in_force(self.now, new, self.parts.in_force())
        return problems

    def end(self) -> None:
        for name in self.consumers.members:
            assert self.consumers.stop_crew(name).gone.wait(10)


def test_all_that_can_not_be_made_is_told_at_once() -> None:
    class Unmakeable(RecordingBackend):
        def __init__(self, context: object) -> None:
            raise HubError("one\ntwo")

    class Faulty(Scripted):
        def __init__(self, context: Context) -> None:
            raise KeyError("three")

    wanted = {"backends": [backend_part("bus", Unmakeable)], "consumers": [consumer_part("c", Faulty)]}
    with pytest.raises(ConfigError) as caught:
        Desk().parts.prepare(wanted)
    assert caught.value.problems == [
        "consumers.c: Faulty() failed: KeyError('three')",
        "backends.bus: one",
        "backends.bus: two",
    ]


def test_a_consumer_that_can_not_be_started_is_told_of_and_not_in_force() -> None:
    desk = Desk()
    desk.consumers.threads = 1
    new = configuration(consumers={name: consumer_part(name) for name in ("a", "b")})
    assert desk.reload(new) == ["consumers.b: RuntimeError: can't start new thread"]
    assert list(desk.now.of("consumers")) == ["a"]
    desk.end()


def test_a_changed_consumer_for_which_there_are_no_threads_goes_on_as_it_was() -> None:
    desk = Desk()
    desk.reload(configuration(consumers={"a": consumer_part("a")}))
    old = desk.now.of("consumers")["a"]
    desk.consumers.threads = 0

    class Once(Poor):
        def start(self, part: Part, prepared: Consumer) -> None:
            self.threads += part is old
            super().start(part, prepared)

    desk.consumers.__class__ = Once
    queue = desk.consumers.members["a"].queue
    desk.consumers.stop_crew("a").gone.wait(10)
    (problem,) = desk.reload(configuration(consumers={"a": consumer_part("a", fingerprint="v2")}))
    assert problem == "consumers.a: RuntimeError: can't start new thread; it keeps its old settings"
    assert desk.now.of("consumers") == {"a": old}
    assert desk.consumers.members["a"].queue is queue
    desk.end()


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


def test_a_consumer_that_does_not_start_is_told_of_and_a_slow_one_is_not_waited_for() -> None:
    desk = Desk()
    assert desk.reload(configuration(consumers={n: consumer_part(n, Choosy) for n in ("good", "bad", "slow")})) == []
    crews = {name: member.crew for name, member in desk.consumers.members.items()}
    wait_until(lambda: bool(crews["good"].started.is_set() and crews["bad"].tried.is_set()))
    told: list[bool] = []
    within(desk.reactor, desk.parts.tried(desk.prepared), TRY_TIMEOUT).addCallback(told.append)
    desk.reactor.advance(TRY_TIMEOUT * 0.9)
    assert told == []
    desk.reactor.advance(TRY_TIMEOUT)
    assert told == [False]
    assert desk.parts.failing(desk.prepared) == [
        "consumers.bad: does not start: RuntimeError: no such table; it is tried again"
    ]
    desk.prepared["consumers"]["slow"].go_on.set()
    desk.end()


def test_a_hub_that_stops_meanwhile_does_not_wait_for_them() -> None:
    desk, stop, told = Desk(), CallbackEvent(), list[bool]()
    desk.reload(configuration(consumers={"slow": consumer_part("slow", Choosy)}))
    within(desk.reactor, desk.parts.tried(desk.prepared), TRY_TIMEOUT, stop).addCallback(told.append)
    stop.set()
    assert told == [False]
    desk.prepared["consumers"]["slow"].go_on.set()
    desk.end()


def test_what_a_full_queue_does_goes_by_the_buses_that_there_are_now() -> None:
    desk = Desk()
    first = configuration(consumers={"a": consumer_part("a")})
    desk.reload(first)
    queue = desk.consumers.members["a"].queue
    assert queue.policy.overflow == "block"
    second = configuration(**first.parts, backends={"bus": backend_part("bus", Lossy)})
    assert desk.reload(second, Phase.SOURCES) == []
    desk.consumers.update_overflow()
    assert queue.policy.overflow == "drop_newest"
    assert list(desk.parts.in_force()["backends"]) == ["bus"]
    desk.end()


# -- what a part says of itself


class Broken(RecordingBackend):
    def status(self) -> Mapping[str, Any]:
        raise KeyError("peers")


def test_what_a_part_tells_is_told_with_its_type() -> None:
    backend = RecordingBackend(None)  # type: ignore[arg-type]
    assert status_of(backend_part("bus"), backend)["type"] == "recording"
    assert status_of(backend_part("bus"), backend)["state"] == "connected"


def test_one_that_fails_even_at_that_says_so() -> None:
    broken = Broken(None)  # type: ignore[arg-type]
    told = {"type": "recording", "state": "failed", "error": "KeyError: 'peers'"}
    assert status_of(backend_part("bus"), broken) == told
