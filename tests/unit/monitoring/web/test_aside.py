"""A thread of its own for what takes long."""

from __future__ import annotations

import threading

import pytest
from twisted.internet.defer import Deferred

from hub.errors import Unavailable
from hub.monitoring.web.aside import MOST, Aside
from tests.conftest import ReactorThread
from tests.support import wait_until
from tests.unit.doubles import in_turn


def test_a_call_is_made_elsewhere_and_its_result_comes_back(reactor_thread: ReactorThread) -> None:
    aside = Aside("aside", reactor_thread.reactor)
    aside.start()
    assert reactor_thread.call(aside.do, lambda: threading.current_thread().name) == "aside"
    with pytest.raises(ZeroDivisionError):
        reactor_thread.call(aside.do, lambda: 1 // 0)
    reactor_thread.call(aside.close)


def test_calls_that_wait_are_made_before_it_closes_and_none_after(reactor_thread: ReactorThread) -> None:
    aside, made = Aside("aside", reactor_thread.reactor), list[int]()
    for number in range(3):
        aside.do(made.append, number)
    aside.start()
    reactor_thread.call(aside.close)
    assert made == [0, 1, 2]
    with pytest.raises(Unavailable):
        reactor_thread.call(aside.do, made.append, 3)
    assert made == [0, 1, 2]


def test_too_many_are_refused(reactor_thread: ReactorThread) -> None:
    aside, go_on, begun = Aside("aside", reactor_thread.reactor), threading.Event(), threading.Event()
    aside.start()
    aside.do(in_turn(begun.set, lambda: go_on.wait(10)))
    wait_until(begun.is_set)
    waiting = [aside.do(lambda: None) for _ in range(MOST)]
    with pytest.raises(Unavailable):
        reactor_thread.call(aside.do, lambda: None)
    go_on.set()
    reactor_thread.call(lambda: waiting[-1])
    reactor_thread.call(aside.close)


def test_one_that_never_began_is_closed_at_once() -> None:
    aside = Aside("aside", None)
    closed: list[object] = []
    over: Deferred[None] = aside.close()
    over.addCallback(closed.append)
    aside.close()
    assert closed == [None]
