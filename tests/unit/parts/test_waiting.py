"""Waiting in the reactor's thread."""

from __future__ import annotations

import threading

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from hub.parts.waiting import GIVE_UP_EVERY, all_set, within
from hub.workers.callback_event import CallbackEvent
from tests.conftest import ReactorThread
from tests.unit.doubles import FakeReactor


def answer(waiting: Deferred[bool]) -> list[bool]:
    fired: list[bool] = []
    waiting.addCallback(fired.append)
    return fired


def test_what_has_fired_already_is_not_waited_for() -> None:
    clock = Clock()
    for waited in (succeed(None), fail(KeyError("somebody else's"))):
        assert answer(within(clock, waited, 5.0)) == [True]
    assert clock.getDelayedCalls() == []


def test_it_fires_when_what_is_waited_for_does_and_leaves_no_timer() -> None:
    clock, waited = Clock(), Deferred[None]()
    fired = answer(within(clock, waited, 5.0, stop=CallbackEvent(), give_up=lambda: False))
    clock.pump([0.1] * 10)
    assert fired == []
    waited.callback(None)
    assert fired == [True]
    assert clock.getDelayedCalls() == []


def test_it_gives_up_in_time_and_what_comes_later_is_no_fault() -> None:
    clock, waited = Clock(), Deferred[None]()
    fired = answer(within(clock, waited, 1.0))
    clock.pump([0.1] * 9)
    assert fired == []
    clock.pump([0.1] * 2)
    assert fired == [False]
    assert clock.getDelayedCalls() == []
    waited.callback(None)
    assert fired == [False]


def test_nobody_waits_once_a_stop_is_asked_for() -> None:
    clock, stop = Clock(), CallbackEvent()
    fired = answer(within(clock, Deferred(), 5.0, stop=stop))
    assert fired == []
    stop.set()
    assert fired == [False]
    assert answer(within(clock, Deferred(), 5.0, stop=stop)) == [False]
    assert clock.getDelayedCalls() == []


def test_whether_it_is_of_any_use_is_asked_now_and_then() -> None:
    clock, asked, hopeless = Clock(), list[float](), list[bool]()

    def give_up() -> bool:
        asked.append(clock.seconds())
        return bool(hopeless)

    fired = answer(within(clock, Deferred(), 60.0, give_up=give_up))
    clock.advance(GIVE_UP_EVERY)
    assert (asked, fired) == ([0.0, GIVE_UP_EVERY], [])
    hopeless.append(True)
    clock.advance(GIVE_UP_EVERY)
    assert fired == [False]
    assert clock.getDelayedCalls() == []


def test_many_events_are_one_thing_to_wait_for() -> None:
    events = [CallbackEvent() for _ in range(3)]
    events[0].set()
    fired = answer(within(FakeReactor(), all_set(events, FakeReactor()), 5.0))
    events[1].set()
    assert fired == []
    events[2].set()
    assert fired == [True]
    assert answer(within(FakeReactor(), all_set([], FakeReactor()), 5.0)) == [True]


def test_the_last_thread_is_heard_of_in_the_reactor_s_thread(reactor_thread: ReactorThread) -> None:
    events = [CallbackEvent() for _ in range(4)]
    threads = [threading.Thread(target=event.set) for event in events]

    def wait() -> Deferred[tuple[bool, str]]:
        for thread in threads:
            thread.start()
        reactor = reactor_thread.reactor
        waiting = within(reactor, all_set(events, reactor), 10.0)
        return waiting.addCallback(lambda in_time: (in_time, threading.current_thread().name))

    assert reactor_thread.call(wait) == (True, "reactor")
    for thread in threads:
        thread.join(10)
