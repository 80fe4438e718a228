"""Threads up and down while the consumer works."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from hub.errors import HubError
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.workers.crew import Crew, Spawn
from tests.support import wait_until
from tests.unit.crews import Watched, crew_of, end, finished, offer, queue_of
from tests.unit.doubles import message, messages


@pytest.fixture
def consumer() -> Watched:
    return Watched()


def started(consumer: Watched, threads: int) -> Crew:
    crew = crew_of(consumer, threads)
    crew.start()
    assert crew.started.wait(10)
    return crew


def seen_off(crew: Crew, left: int) -> bool:
    crew.replace_dead()
    return len(crew.workers) == left


def test_more_threads_work_at_once(consumer: Watched) -> None:
    crew = started(consumer, 1)
    together = threading.Barrier(3)
    consumer.on_consume = lambda _: together.wait(10)
    assert crew.resize(3) == 1
    for number in range(3):
        offer(crew, [message(number)])
    wait_until(lambda: finished(crew) == 3)
    end(crew)
    assert len({name for what, name in consumer.calls if what == "consume"}) == 3


def test_fewer_threads_are_left_where_all_were_waiting(consumer: Watched) -> None:
    crew = started(consumer, 3)
    assert crew.resize(1) == 3
    wait_until(lambda: seen_off(crew, 1))
    assert crew.replaced == 0
    offer(crew, messages(2))
    wait_until(lambda: finished(crew) == 2)
    end(crew)


def two_at_work(consumer: Watched) -> tuple[Crew, threading.Event]:
    """A crew of two with a message each, which they finish once the event is set."""
    crew = started(consumer, 2)
    busy, go_on = threading.Semaphore(0), threading.Event()

    def work(_: Message) -> None:
        busy.release()
        go_on.wait(10)

    consumer.on_consume = work
    offer(crew, [message(0)])
    offer(crew, [message(1)])
    assert busy.acquire(timeout=10)
    assert busy.acquire(timeout=10)
    return crew, go_on


def test_one_that_is_too_many_finishes_its_message_first(consumer: Watched) -> None:
    crew, go_on = two_at_work(consumer)
    crew.resize(1)
    assert len(crew.workers) == 2
    go_on.set()
    wait_until(lambda: seen_off(crew, 1))
    wait_until(lambda: finished(crew) == 2)  # the other one may still be at it
    assert queue_of(crew).stats().counters.failed == 0
    end(crew)
    assert consumer.names().count("stop") == 1


def test_its_numbers_are_kept_when_a_thread_goes(consumer: Watched) -> None:
    crew = started(consumer, 2)
    consumer.script = {"0": [KeyError("first")]}
    offer(crew, messages(6))
    wait_until(lambda: sum(crew.times()[0]) == 7)  # the last one's is counted after it is settled
    crew.resize(1)
    wait_until(lambda: seen_off(crew, 1))
    assert sum(crew.times()[0]) == 7
    assert crew.last_failure is not None
    assert crew.last_failure.error == "KeyError"
    end(crew)


def test_a_crew_that_has_not_started_or_is_stopping_keeps_its_size(consumer: Watched) -> None:
    crew = crew_of(consumer)
    with pytest.raises(HubError, match="is not running"):
        crew.resize(2)
    crew.start()
    assert crew.started.wait(10)
    end(crew)
    with pytest.raises(HubError, match="is not running"):
        crew.resize(2)


def test_one_that_is_still_busy_does_not_keep_the_others_from_filling_a_batch(consumer: Watched) -> None:
    """Each nudge ends a wait for more, so one that comes at each round would be the end of all batches."""
    crew, go_on = two_at_work(consumer)
    crew.resize(1)
    nudges = queue_of(crew).waiters.nudges
    crew.replace_dead()
    assert queue_of(crew).waiters.nudges == nudges
    go_on.set()
    wait_until(lambda: seen_off(crew, 1))
    end(crew)


def test_a_thread_that_can_not_be_made_is_waited_for_by_nobody(
    consumer: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    crew = started(consumer, 1)

    def refuse(target: object, name: str) -> threading.Thread:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(crew, "_spawn", refuse)
        with pytest.raises(HubError, match="c has 1 thread now: can't start new thread"):
            crew.resize(3)
    assert len(crew.workers) == 1
    end(crew)
    assert consumer.names().count("stop") == 1


def test_the_seconds_that_were_spent_only_grow_whenever_they_are_read(consumer: Watched) -> None:
    crew = started(consumer, 1)
    (worker, _) = crew.workers[0]
    worker._begun, worker.delivery = 10.0, Delivery([message(0)], [0])
    assert crew.busy(15.0) == 5.0
    worker.delivery = None  # its hands are empty, and what it did is about to be added
    assert crew.busy(15.0) == 5.0
    worker.busy += 6.0
    assert crew.busy(16.0) == 6.0
    end(crew)


def idle_until(ended: threading.Event) -> Spawn:
    """In the place of threads that work: these end when they are told to."""

    def spawn(_target: object, name: str) -> threading.Thread:
        thread = threading.Thread(target=ended.wait, args=(10,), name=name, daemon=True)
        thread.start()
        return thread

    return spawn


def test_one_that_is_dismissed_is_remembered_as_long_as_it_lives() -> None:
    """Though it has no message in hand: else nothing would end it, and its counts would go."""
    ended = threading.Event()
    crew = crew_of(Watched(), 2, spawn=idle_until(ended))
    crew.start()
    crew.started.set()
    crew.resize(1)
    crew.forget_ended()
    assert [thread.name for _, thread in crew.workers] == ["hubbub-c-1", "hubbub-c-2"]
    ended.set()
    crew.workers[1][1].join(10)
    crew.forget_ended()
    assert [thread.name for _, thread in crew.workers] == ["hubbub-c-1"]


def test_of_those_that_ended_the_seconds_count_and_nothing_is_kept() -> None:
    ended = threading.Event()
    crew = crew_of(Watched(), 3, spawn=idle_until(ended))
    crew.start()
    crew.started.set()
    gone = []
    for seconds, (worker, _) in enumerate(crew.workers):
        worker.busy = float(seconds)
        gone.append(weakref.ref(worker))
    del worker
    crew.resize(1)
    ended.set()
    for thread in [thread for _, thread in crew.workers]:
        thread.join(10)
    crew.forget_ended()
    assert crew.busy(0.0) == 3.0
    gc.collect()
    assert [ref() is None for ref in gone] == [False, True, True]


class Each(Watched):
    per_worker = True


class NeverStarted(Watched):
    def start(self) -> None:
        self.note("start")
        raise ValueError("no")


def test_a_thread_that_leaves_while_its_consumer_can_not_start_ends() -> None:
    other = NeverStarted()
    crew = crew_of(Each(), 2, uniform=lambda low, high: high, make=lambda: other)
    crew.start()
    assert crew.started.wait(10)
    wait_until(lambda: "start" in other.names())
    crew.resize(1)
    wait_until(lambda: sum(thread.is_alive() for _, thread in crew.workers) == 1)
    end(crew)
