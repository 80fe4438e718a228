"""What every source of work keeps to, and a worker and a crew on each of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from hub.errors import Reject, Retry
from hub.queue.delivery import Delivery
from hub.workers.crew import Crew, CrewPolicy
from hub.workers.retry import Backoff
from hub.workers.runtime import Runtime
from hub.workers.supervisor import Supervisor
from hub.workers.worker import Worker, WorkerPolicy
from tests.contracts.sources import Rig
from tests.support import wait_until
from tests.unit.crews import Watched
from tests.unit.doubles import RecordingLog, Scripted, letter_of, messages, most, none_at_all

KINDS = ("queue", "jobs", "double")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Rig]:
    rig = Rig(request.param, clock.seconds)
    yield rig
    rig.end()


def take(rig: Rig, limit: int = 9) -> Delivery:
    delivery = rig.source.take(limit, timeout=0)
    assert delivery is not None
    return delivery


def ids(delivery: Delivery) -> list[str]:
    return [message.id for message in delivery.messages]


def test_messages_come_in_order_and_no_more_than_the_limit(rig: Rig) -> None:
    rig.put(messages(5))
    assert [ids(take(rig, 2)), ids(take(rig, 2)), ids(take(rig, 2))] == [["0", "1"], ["2", "3"], ["4"]]
    assert rig.source.take(1, timeout=0) is None


def test_what_is_finished_comes_no_more(rig: Rig) -> None:
    rig.put(messages(3))
    delivery = take(rig)
    rig.source.finish(delivery, 2)
    assert (delivery.left, rig.left) == (1, 1)
    rig.source.finish(delivery, 3)
    assert (rig.left, rig.source.take(1, timeout=0)) == (0, None)


def test_what_is_given_back_was_not_tried_and_comes_next(rig: Rig) -> None:
    rig.put(messages(4))
    delivery = take(rig, 3)
    rig.source.finish(delivery, 1)
    rig.source.give_back(delivery)
    again = take(rig, 2)
    assert (ids(again), again.attempts, rig.left) == (["1", "2"], 0, 3)


def test_what_was_not_begun_may_be_given_back_alone(rig: Rig) -> None:
    rig.put(messages(4))
    delivery = take(rig)
    rig.source.give_back_from(delivery, 1)
    assert (ids(delivery), ids(take(rig))) == (["0"], ["1", "2", "3"])
    rig.source.finish(delivery, 1)
    assert rig.left == 3


def test_a_retry_comes_again_when_it_is_due(rig: Rig, clock: Clock) -> None:
    rig.put(messages(1))
    rig.source.retry(take(rig), 5.0, failed=True)
    clock.advance(4.9)
    assert rig.source.take(1, timeout=0) is None
    clock.advance(0.2)
    again = take(rig)
    assert (again.attempts, again.failures, again.kills) == (1, 1, 0)
    rig.source.retry(again, 0.0, failed=False)
    again = take(rig)
    assert (again.attempts, again.failures, rig.left) == (2, 1, 1)


def test_a_message_that_killed_its_process_comes_alone(rig: Rig) -> None:
    rig.put(messages(3))
    delivery = take(rig, 1)
    rig.source.retry(delivery, 0.0, failed=False, killed=True)
    again = take(rig)
    assert (ids(again), again.kills) == (["0"], 1)


def test_what_is_buried_comes_no_more(rig: Rig) -> None:
    rig.put(messages(2))
    delivery = take(rig)
    rig.source.bury(delivery, True, letter_of(delivery))
    assert ([letter.message.id for letter in rig.letters], rig.left) == (["0"], 1)
    rig.source.finish(delivery, 2)
    assert rig.left == 0


def test_a_closed_source_hands_out_nothing_until_it_is_opened(rig: Rig) -> None:
    rig.put(messages(1))
    rig.source.close()
    assert rig.source.closed
    assert rig.source.take(1) is None
    rig.source.open()
    assert ids(take(rig)) == ["0"]


def test_a_nudge_sends_those_away_who_wait(rig: Rig) -> None:
    got: list[Delivery | None] = []
    thread = threading.Thread(target=lambda: got.append(rig.source.take(1)), daemon=True)
    thread.start()
    while thread.is_alive():
        rig.source.nudge()
        thread.join(0.01)
    assert got == [None]


def test_a_touch_changes_nothing_and_a_slot_notes_what_is_in_flight(rig: Rig) -> None:
    rig.put(messages(1))
    delivery, slot = take(rig), rig.source.slot()
    slot.hold(0, 1)
    rig.source.touch(delivery)
    slot.drop()
    rig.source.finish(delivery, 1)
    assert rig.left == 0


# -- a worker on it


def worker_on(rig: Rig, consumer: Scripted, clock: Clock) -> Worker:
    policy = WorkerPolicy(Backoff(2, 1.0, 300.0))
    return Worker(consumer, rig.source, policy, Runtime(clock.seconds, clock.seconds, most), RecordingLog())


def test_a_worker_settles_retries_and_buries(rig: Rig, clock: Clock) -> None:
    consumer = Scripted()
    consumer.script = {"1": [Retry(5)], "2": [Reject("no")], "3": [KeyError("x"), KeyError("y")]}
    rig.put(messages(5))
    worker = worker_on(rig, consumer, clock)
    for _ in range(20):
        while worker.step(0):
            pass
        clock.advance(5.0)
    assert sorted(consumer.seen) == ["0", "1", "1", "2", "3", "3", "4"]
    assert sorted(letter.message.id for letter in rig.letters) == ["2", "3"]
    assert rig.left == 0


def test_a_worker_that_is_told_to_stop_gives_the_rest_back(rig: Rig, clock: Clock) -> None:
    consumer = Scripted()
    worker = worker_on(rig, consumer, clock)
    worker._limit = 9
    rig.put(messages(5))
    consumer.on_consume = lambda one: worker.stop() if one.id == "1" else None
    worker.step(0)
    assert (consumer.seen, rig.left, ids(take(rig))) == (["0", "1"], 3, ["2", "3", "4"])


# -- a crew on it


def crew_on(kind: str, consumer: Watched, threads: int = 1) -> tuple[Crew, Rig]:
    rig = Rig(kind, time.monotonic)
    rig.run()
    policy = CrewPolicy(threads, 5.0, WorkerPolicy(Backoff(3, 0.01, 1.0)))
    runtime = Runtime(time.monotonic, time.time, none_at_all)
    return Crew(consumer, rig.source, policy, runtime, RecordingLog()), rig


@pytest.mark.parametrize("kind", KINDS)
def test_a_crew_works_off_what_comes_and_ends(kind: str) -> None:
    consumer = Watched()
    crew, rig = crew_on(kind, consumer, threads=3)
    rig.put(messages(50))
    crew.start()
    wait_until(lambda: rig.left == 0)
    crew.stop()
    assert crew.gone.wait(10)
    rig.end()
    assert sorted(consumer.seen, key=int) == [str(number) for number in range(50)]
    assert (consumer.names()[0], consumer.names()[-1]) == ("start", "stop")


class Dies(BaseException):
    """Ends a thread, where it is raised by the source."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_dead_thread_had_comes_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Watched()
    crew, rig = crew_on(kind, consumer)
    finish, deaths = rig.source.finish, [Dies()]

    def die_once(*given: object) -> None:
        if deaths:
            raise deaths.pop()
        finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(rig.source, "finish", die_once)
    rig.put(messages(2))
    crew.start()
    wait_until(lambda: not deaths and not crew.workers[0][1].is_alive())
    assert crew.replace_dead() == 1
    wait_until(lambda: rig.left == 0)
    crew.stop()
    assert crew.gone.wait(10)
    rig.end()


@pytest.mark.parametrize("kind", KINDS)
def test_the_supervisor_says_of_what_is_in_hand_that_it_is_worked_on(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer, release = Watched(), threading.Event()
    crew, rig = crew_on(kind, consumer)
    touched: list[str] = []
    monkeypatch.setattr(rig.source, "touch", lambda delivery: touched.extend(ids(delivery)))
    consumer.on_consume = lambda _: release.wait(10)
    rig.put(messages(1))
    supervisor = Supervisor(lambda: [crew], time.monotonic)
    supervisor.round()
    assert touched == []
    crew.start()
    wait_until(lambda: consumer.seen)
    supervisor.round()
    assert touched == ["0"]
    release.set()
    crew.stop()
    assert crew.gone.wait(10)
    rig.end()
