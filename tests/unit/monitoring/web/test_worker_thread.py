"""A thread of its own for what takes long."""

from __future__ import annotations

import threading

import pytest
from twisted.internet.defer import Deferred

from hub.errors import Unavailable
from hub.monitoring.web.worker_thread import MOST, WorkerThread
from tests.conftest import ReactorThread
from tests.support import wait_until
from tests.unit.doubles import in_turn


def test_a_call_is_made_elsewhere_and_its_result_comes_back(reactor_thread: ReactorThread) -> None:
    worker = WorkerThread("worker", reactor_thread.reactor)
    worker.start()
    assert reactor_thread.call(worker.do, lambda: threading.current_thread().name) == "worker"
    with pytest.raises(ZeroDivisionError):
        reactor_thread.call(worker.do, lambda: 1 // 0)
    reactor_thread.call(worker.close)


def test_its_thread_does_not_keep_the_process_alive_and_ends_when_it_is_closed(reactor_thread: ReactorThread) -> None:
    worker = WorkerThread("worker", reactor_thread.reactor)
    worker.start()
    thread = reactor_thread.call(worker.do, threading.current_thread)
    assert (thread.daemon, thread.is_alive()) == (True, True)
    reactor_thread.call(worker.close)
    assert not thread.is_alive()


def test_calls_that_wait_are_made_before_it_closes_and_none_after(reactor_thread: ReactorThread) -> None:
    worker, made = WorkerThread("worker", reactor_thread.reactor), list[int]()
    for number in range(3):
        worker.do(made.append, number)
    worker.start()
    reactor_thread.call(worker.close)
    assert made == [0, 1, 2]
    with pytest.raises(Unavailable):
        reactor_thread.call(worker.do, made.append, 3)
    assert made == [0, 1, 2]


def test_too_many_are_refused(reactor_thread: ReactorThread) -> None:
    worker, go_on, begun = WorkerThread("worker", reactor_thread.reactor), threading.Event(), threading.Event()
    worker.start()
    worker.do(in_turn(begun.set, lambda: go_on.wait(10)))
    wait_until(begun.is_set)
    waiting = [worker.do(lambda: None) for _ in range(MOST)]
    with pytest.raises(Unavailable):
        reactor_thread.call(worker.do, lambda: None)
    go_on.set()
    reactor_thread.call(lambda: waiting[-1])
    reactor_thread.call(worker.close)


def test_one_that_never_began_is_closed_at_once() -> None:
    worker = WorkerThread("worker", None)
    closed: list[object] = []
    over: Deferred[None] = worker.close()
    over.addCallback(closed.append)
    worker.close()
    assert closed == [None]
