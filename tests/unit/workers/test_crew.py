"""The threads of one consumer: real ones, each wait bounded."""

from __future__ import annotations

import random
import threading
import time

import pytest
from twisted.internet.task import Clock

from hub.message import Message
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.store.memory import MemoryStore
from hub.workers.crew import Crew
from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer, queue_of
from tests.unit.doubles import RecordingLog, in_turn, message, messages


def test_start_comes_before_the_first_message_and_stop_after_the_last() -> None:
    consumer = Watched()
    crew = crew_of(consumer)
    offer(crew, messages(3))
    crew.start()
    wait_until(lambda: finished(crew) == 3)
    end(crew)
    assert consumer.names() == ["start", "consume", "consume", "consume", "stop"]


def test_all_of_it_happens_in_the_consumers_own_thread() -> None:
    consumer = Watched()
    crew = crew_of(consumer)
    offer(crew, messages(1))
    crew.start()
    wait_until(lambda: finished(crew) == 1)
    end(crew)
    assert {thread for _, thread in consumer.calls} == {"hubbub-c-1"}


@pytest.mark.parametrize("error", [OSError, SystemExit, MemoryError])
def test_a_start_that_fails_is_tried_again_and_messages_wait_meanwhile(error: type[BaseException]) -> None:
    consumer = Watched()
    consumer.start_errors = [error("not yet"), error("not yet")]
    crew = crew_of(consumer, threads=3)
    offer(crew, messages(2))
    crew.start()
    wait_until(lambda: finished(crew) == 2)
    assert crew.start_error == ""
    end(crew)
    assert consumer.names()[:3] == ["start"] * 3
    assert consumer.names().count("start") == 3


def test_why_it_can_not_start_is_told_until_it_can() -> None:
    consumer = Watched()
    consumer.start_errors = [OSError("no database")] * 2
    crew = crew_of(consumer, uniform=lambda low, high: 3600.0)
    assert (crew.start_error, crew.last_failure) == ("", None)
    crew.start()
    wait_until(lambda: crew.start_error)
    assert crew.start_error == "OSError: no database"
    assert not crew.started.is_set()
    end(crew)


def test_a_consumer_that_never_started_is_not_stopped_either() -> None:
    consumer = Watched()
    consumer.start_errors = [OSError("no database")]
    crew = crew_of(consumer, threads=2, uniform=lambda low, high: 3600.0)
    offer(crew, messages(1))
    crew.start()
    wait_until(lambda: crew.start_error)
    end(crew)
    assert consumer.names() == ["start"]
    assert queue_of(crew).stats().counters.backlog == 1


def test_the_last_thread_to_leave_stops_the_consumer_and_only_it() -> None:
    consumer = Watched()
    crew = crew_of(consumer, threads=4, every=3600.0)
    release, in_hand = threading.Event(), threading.Semaphore(0)
    consumer.on_consume = in_turn(in_hand.release, lambda: release.wait(10))
    offer(crew, messages(1))
    crew.start()
    assert in_hand.acquire(timeout=10)
    crew.stop()
    wait_until(lambda: sum(thread.is_alive() for _, thread in crew.workers) == 1)
    assert "stop" not in consumer.names()
    release.set()
    assert crew.gone.wait(10)
    consumes = [thread for what, thread in consumer.calls if what == "consume"]
    assert [thread for what, thread in consumer.calls if what == "stop"] == consumes


class ClosesSlowly(Queue):
    """Its ``close`` returns when every thread that it woke has ended: the order of events that shows the race."""

    crew: Crew

    def close(self) -> None:
        super().close()
        for _, thread in self.crew.workers:
            thread.join(10)


def test_stop_is_called_once_also_when_all_threads_are_quick_to_leave() -> None:
    consumer = Watched()
    queue = ClosesSlowly("c", QueuePolicy(), MemoryStore(), time.monotonic, time.time)
    crew = queue.crew = crew_of(consumer, queue=queue)
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "hubbub-c-stop"])
    assert consumer.names() == ["start", "stop"]


def test_stopping_twice_stops_the_consumer_once() -> None:
    consumer = Watched()
    crew = crew_of(consumer)
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    crew.stop()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "hubbub-c-stop"])
    assert consumer.names() == ["start", "stop"]


def test_a_stop_that_fails_is_logged_and_the_crew_is_gone() -> None:
    consumer = Watched()
    consumer.on_stop = lambda: 1 / 0
    crew = crew_of(consumer)
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    assert isinstance(crew.log, RecordingLog)
    assert "stop" in crew.log.actions()


def test_stop_leaves_what_was_not_begun_in_the_queue() -> None:
    consumer = Watched()
    crew = crew_of(consumer, threads=2)
    gate, begun = threading.Event(), threading.Semaphore(0)
    consumer.on_consume = in_turn(begun.release, lambda: gate.wait(10))
    offer(crew, messages(10))
    crew.start()
    assert begun.acquire(timeout=10)
    assert begun.acquire(timeout=10)
    crew.stop()
    gate.set()
    assert crew.gone.wait(10)
    stats = queue_of(crew).stats()
    assert (stats.counters.finished, stats.counters.backlog, stats.in_flight) == (2, 8, 0)


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    crew = crew_of(Watched(), threads=2)
    crew.start()
    assert [(thread.name, thread.daemon) for _, thread in crew.workers] == [("hubbub-c-1", True), ("hubbub-c-2", True)]
    end(crew)


def test_threads_work_side_by_side() -> None:
    consumer = Watched()
    crew = crew_of(consumer, threads=3)
    together = threading.Barrier(3)
    consumer.on_consume = lambda _: together.wait(10)
    offer(crew, messages(3))
    crew.start()
    wait_until(lambda: finished(crew) == 3)
    end(crew)


def test_a_consumer_that_hangs_does_not_hold_up_the_stop_of_another() -> None:
    hanging, release, in_hand = Watched(), threading.Event(), threading.Event()
    hanging.on_consume = in_turn(in_hand.set, lambda: release.wait(30))
    stuck, other = crew_of(hanging), crew_of(Watched())
    for crew in (stuck, other):
        offer(crew, messages(1))
        crew.start()
    assert in_hand.wait(10)
    stuck.stop()
    end(other)
    assert not stuck.gone.is_set()
    release.set()
    assert stuck.gone.wait(10)


def test_many_threads_settle_every_message_exactly_once() -> None:
    consumer, dice = Watched(), random.Random(7)
    consumer.script = {str(n): [ValueError("now and then")] for n in range(0, 500, 7)}
    crew = crew_of(consumer, threads=4)
    crew.start()
    sent = 0
    while sent < 500:
        count = min(dice.randint(1, 20), 500 - sent)
        offer(crew, [message(n) for n in range(sent, sent + count)])
        sent += count
    wait_until(lambda: finished(crew) == 500)
    end(crew)
    stats = queue_of(crew).stats()
    assert sorted(consumer.seen, key=int) == sorted([*map(str, range(500)), *consumer.script], key=int)
    assert (stats.in_flight, stats.delayed, stats.counters.backlog) == (0, 0, 0)
    assert queue_of(crew).acks.floor == 500


class Hanging(Watched):
    """Stays in one of its methods until it is released."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where
        self.inside, self.release = threading.Event(), threading.Event()

    def _pass(self, where: str) -> None:
        if where == self.where:
            self.inside.set()
            assert self.release.wait(10)

    def start(self) -> None:
        self._pass("start")

    def consume(self, message: Message) -> None:
        self._pass("consume")

    def tick(self) -> None:
        self._pass("tick")

    def stop(self) -> None:
        self._pass("stop")


@pytest.mark.parametrize(
    ("where", "told"),
    [("start", "its start()"), ("consume", "its message"), ("tick", "its tick()"), ("stop", "its stop()")],
)
def test_what_a_crew_that_does_not_leave_is_in_is_known(where: str, told: str) -> None:
    consumer = Hanging(where)
    crew = crew_of(consumer, every=0.001 if where == "tick" else None)
    offer(crew, messages(1 if where == "consume" else 0))
    crew.start()
    if where == "stop":
        wait_until(crew.started.is_set)
        crew.stop()
    assert consumer.inside.wait(10)
    assert crew.busy_with == told
    consumer.release.set()
    end(crew)
    assert crew.busy_with in ("", "its stop()")


def test_a_worker_that_pauses_is_woken_by_the_stop() -> None:
    crew = crew_of(Watched())
    crew.start()
    assert crew.started.wait(10)
    ((worker, _),) = crew.workers
    worker._resume_at = time.monotonic() + 600
    queue_of(crew).nudge()  # out of its wait for a message, into its pause
    crew.stop()
    assert crew.gone.wait(10)
    assert worker._stopping


def test_start_is_tried_again_with_pauses_that_grow() -> None:
    consumer, asked = Watched(), list[float]()
    consumer.start_errors = [OSError("away") for _ in range(4)]

    def bound(low: float, high: float) -> float:
        asked.append(high)
        return 0.0

    crew = crew_of(consumer, uniform=bound)
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    assert asked == [0.01, 0.02, 0.04, 0.08]


@pytest.mark.parametrize("errors", [[], [OSError("away")]])
def test_that_its_start_was_tried_is_told_whether_it_failed_or_not(errors: list[BaseException]) -> None:
    consumer, told = Watched(), threading.Event()
    consumer.start_errors = errors
    crew = crew_of(consumer)
    crew.tried.when_set(told.set)
    assert not told.is_set()
    crew.start()
    assert told.wait(10)
    end(crew)


def test_the_last_thread_tells_that_all_are_gone_after_the_stop_of_the_consumer() -> None:
    consumer, told = Watched(), list[tuple[str, list[str]]]()
    crew = crew_of(consumer, threads=3)
    crew.gone.when_set(lambda: told.append((threading.current_thread().name, consumer.names())))
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    ((thread, calls),) = told
    assert thread.startswith("hubbub-c-")
    assert calls == ["start", "stop"]


def test_the_next_crew_counts_on_also_while_the_one_before_it_is_busy() -> None:
    consumer, clock = Hanging("consume"), Clock()
    before = crew_of(consumer, monotonic=clock.seconds)
    offer(before, messages(1))
    before.start()
    assert consumer.inside.wait(10)
    clock.advance(5.0)
    after = crew_of(Watched(), monotonic=clock.seconds)
    after.follow(before)
    assert after.busy(clock.seconds()) == 5.0
    consumer.release.set()
    end(before)
