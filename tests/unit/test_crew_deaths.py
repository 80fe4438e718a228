"""Threads that die, and are replaced."""

from __future__ import annotations

import time

import pytest

from hub.crew import Crew, CrewPolicy
from hub.errors import Reject
from hub.retry import RetryPolicy
from hub.store.memory import MemoryStore
from hub.worker import Surroundings, WorkerPolicy
from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer
from tests.unit.doubles import RecordingLog, message, messages, none_at_all

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


class FailingStore(MemoryStore):
    """Can't bury, for a while."""

    failures = 2

    def bury(self, queue: str, letter: object) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("no space left")
        super().bury(queue, letter)  # type: ignore[arg-type]


@DIES
def test_when_the_store_can_not_bury_the_thread_is_replaced_once_it_can() -> None:
    consumer = Watched()
    consumer.script = {"0": [Reject("no"), Reject("no"), Reject("no")]}
    crew = crew_of(consumer)
    around = Surroundings(FailingStore(), time.monotonic, time.time, none_at_all)
    crew = Crew(consumer, crew.queue, CrewPolicy(1, 5.0, WorkerPolicy(RetryPolicy(1, 0, 0))), around, RecordingLog())
    crew.start()
    offer(crew, messages(2))
    wait_until(lambda: not crew.workers[0][1].is_alive())
    with pytest.raises(OSError, match="no space"):
        crew.replace_dead()
    assert crew.replace_dead() == 1
    wait_until(lambda: crew.queue.stats().counters.backlog == 0)
    end(crew)
    counters = crew.queue.stats().counters
    assert (counters.finished, counters.dead) == (1, 1)


def test_threads_that_ended_because_they_were_told_to_are_not_replaced() -> None:
    crew = crew_of(Watched())
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    assert crew.replace_dead() == 0
