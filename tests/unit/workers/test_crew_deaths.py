"""Threads that die, and are replaced."""

from __future__ import annotations

import threading

import pytest

from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer
from tests.unit.doubles import message, messages

DIES = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


class Jitter:
    """Kills the thread that asks for it, so many times: a death that has nothing to do with the consumer."""

    def __init__(self, deaths: int = 0) -> None:
        self.deaths = deaths

    def __call__(self, low: float, high: float) -> float:
        if self.deaths:
            self.deaths -= 1
            raise SystemExit("this thread dies")
        return low


@DIES
def test_a_dead_thread_is_replaced_and_its_message_comes_again_once() -> None:
    consumer = Watched()
    consumer.script = {"1": [KeyError("the verdict on this kills the thread")]}
    crew = crew_of(consumer, uniform=Jitter(deaths=1))
    crew.start()
    offer(crew, messages(3))
    wait_until(lambda: not crew.workers[0][1].is_alive())
    assert crew.replace_dead() == 1
    assert crew.replace_dead() == 0
    wait_until(lambda: finished(crew) == 3)
    end(crew)
    assert sorted(consumer.seen) == ["0", "1", "1", "2"]
    assert consumer.names().count("start") == 1
    assert crew.replaced == 1


@DIES
def test_the_times_of_a_dead_thread_still_count() -> None:
    consumer = Watched()
    consumer.script = {"1": [KeyError("x")]}
    crew = crew_of(consumer, uniform=Jitter(deaths=1))
    crew.start()
    offer(crew, messages(1))
    wait_until(lambda: finished(crew) == 1)
    offer(crew, [message(1)])
    wait_until(lambda: not crew.workers[0][1].is_alive())
    crew.replace_dead()
    wait_until(lambda: finished(crew) == 2)
    end(crew)
    assert sum(crew.times()[1]) == 2


def test_threads_that_ended_because_they_were_told_to_are_not_replaced() -> None:
    crew = crew_of(Watched())
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    assert crew.replace_dead() == 0


@DIES
def test_a_dead_thread_is_replaced_later_where_there_is_no_other_now(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Watched()
    consumer.script = {"0": [KeyError("x")]}
    crew = crew_of(consumer, uniform=Jitter(deaths=1))
    crew.start()
    offer(crew, messages(1))
    wait_until(lambda: not crew.workers[0][1].is_alive())

    def refuse(target: object, name: str) -> threading.Thread:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(crew, "_spawn", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            crew.replace_dead()
    assert crew.replace_dead() == 1
    wait_until(lambda: finished(crew) == 1)
    end(crew)
    assert crew.queue.stats().counters.retried == 1
