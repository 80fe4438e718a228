"""Threads that die, and are replaced."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import pytest

from hub.workers.crew import Crew
from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer, queue_of
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
    assert queue_of(crew).stats().counters.retried == 1


class Steps:
    """In the place of threads: a test runs each itself, when it wants to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, target: Callable[[], None], name: str) -> threading.Thread:
        self.waiting.append(target)
        return threading.Thread(target=target, name=name)

    def run_one(self) -> None:
        """The oldest, to its end. It may die."""
        with contextlib.suppress(SystemExit):
            self.waiting.pop(0)()


def dying_when_stopped(threads: int) -> tuple[Crew, Steps]:
    """A crew whose first thread is told to stop while it has its first message in hand, and dies of it."""
    consumer, steps = Watched(), Steps()
    consumer.script = {"0": [KeyError("the verdict on this kills the thread")]}
    crew = crew_of(consumer, threads, uniform=Jitter(deaths=1), spawn=steps)
    consumer.on_consume = lambda _: crew.stop()
    crew.start()
    offer(crew, messages(2))
    steps.run_one()
    return crew, steps


def test_what_a_thread_had_that_died_while_its_crew_stopped_is_given_to_the_next_crew_once() -> None:
    crew, _ = dying_when_stopped(threads=1)
    assert crew.gone.is_set()
    stats = queue_of(crew).stats()
    assert (stats.in_flight, stats.counters.retried, stats.counters.backlog) == (0, 1, 2)
    after = Watched()
    following = crew_of(after, queue=queue_of(crew))
    following.start()
    wait_until(lambda: finished(following) == 2)
    end(following)
    assert sorted(after.seen) == ["0", "1"]


def test_it_is_given_back_also_while_another_thread_of_that_crew_goes_on() -> None:
    crew, steps = dying_when_stopped(threads=2)
    assert not crew.gone.is_set()
    assert queue_of(crew).stats().in_flight == 0
    assert crew.replace_dead() == 0
    steps.run_one()
    assert crew.gone.is_set()
    assert queue_of(crew).stats().counters.retried == 1


def test_what_a_thread_had_that_died_just_before_its_crew_stopped_comes_again() -> None:
    """No round of the supervisor came between."""
    consumer, steps = Watched(), Steps()
    consumer.script = {"0": [KeyError("the verdict on this kills the thread")]}
    crew = crew_of(consumer, uniform=Jitter(deaths=1), spawn=steps)
    crew.start()
    offer(crew, messages(1))
    steps.run_one()
    crew.stop()
    steps.run_one()
    assert crew.gone.is_set()
    stats = queue_of(crew).stats()
    assert (stats.in_flight, stats.counters.retried) == (0, 1)


@DIES
def test_who_replaces_a_thread_that_died_before_the_consumer_had_started_starts_it() -> None:
    consumer = Watched()
    consumer.start_errors = [ValueError("the time of the next try kills the thread")]
    crew = crew_of(consumer, uniform=Jitter(deaths=1))
    crew.start()
    wait_until(lambda: not crew.workers[0][1].is_alive())
    assert not crew.started.is_set()
    assert crew.replace_dead() == 1
    assert crew.started.wait(10)
    end(crew)
    assert consumer.names() == ["start", "start", "stop"]


@DIES
def test_every_replaced_thread_is_counted() -> None:
    consumer, jitter = Watched(), Jitter()
    consumer.script = {"0": [KeyError("x")], "1": [KeyError("x")]}
    crew = crew_of(consumer, uniform=jitter)
    crew.start()
    for number in range(2):
        jitter.deaths = 1
        offer(crew, [message(number)])
        wait_until(lambda: not crew.workers[0][1].is_alive())
        assert crew.replace_dead() == 1
    wait_until(lambda: finished(crew) == 2)
    end(crew)
    assert crew.replaced == 2
