"""The supervisor's rounds, on a clock that stands still; the consumer hangs in a real thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from hub.message import Message
from hub.workers.crew import Crew, CrewPolicy
from hub.workers.retry import Backoff
from hub.workers.runtime import Runtime
from hub.workers.supervisor import HELD_UP, LATE, Supervisor, is_held_up, stack_of
from hub.workers.worker import WorkerPolicy
from tests.support import wait_until
from tests.unit.crews import queue_of
from tests.unit.doubles import RecordingLog, Scripted, in_turn, make_queue, message, messages, most, offer

TIMEOUT = 60.0


class Ward:
    """A crew whose consumer holds each message until it is told to let it go."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.log = RecordingLog()
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)
        self.consumer = consumer = Scripted()
        consumer.on_consume = self.hang_about
        queue = make_queue(self.clock.seconds, name="mailer")
        policy = CrewPolicy(1, TIMEOUT, WorkerPolicy(Backoff(3, 1.0, 9.0)))
        around = Runtime(self.clock.seconds, self.clock.seconds, most)
        self.crew = Crew(consumer, queue, policy, around, self.log)
        self.fed = 0
        self.supervisor = Supervisor(lambda: [self.crew], self.clock.seconds, self.feed)

    def feed(self) -> None:
        self.fed += 1

    def hang_about(self, _: Message) -> None:
        self.begun.release()
        assert self.go_on.acquire(timeout=30)

    def begin(self, *batch: Message) -> None:
        offer(queue_of(self.crew), list(batch))
        assert self.begun.acquire(timeout=10)

    def end(self) -> None:
        self.crew.stop()
        for _ in range(10):
            self.go_on.release()
        assert self.crew.gone.wait(10)

    def reports(self) -> list[str]:
        return [line for line in self.log.lines() if "busy with" in line]


@pytest.fixture
def ward() -> Iterator[Ward]:
    made = Ward()
    made.crew.start()
    assert made.crew.started.wait(10)
    yield made
    made.end()


def test_a_message_that_takes_too_long_is_reported_by_name_id_and_stack(ward: Ward) -> None:
    ward.begin(message(42, "a.slow.topic"))
    ward.clock.advance(TIMEOUT + 1)
    ward.supervisor.round()
    (report,) = ward.reports()
    for part in ("consumer mailer", "'42'", "a.slow.topic", "61.0 s", "hubbub-mailer-1", "hang_about"):
        assert part in report
    assert ward.supervisor.is_stuck(ward.crew)


def test_what_a_late_one_has_in_hand_and_not_begun_goes_to_other_threads(ward: Ward) -> None:
    ward.begin(message(9))
    ward.crew.workers[0][0]._limit = 9
    offer(queue_of(ward.crew), messages(5))
    ward.go_on.release()
    assert ward.begun.acquire(timeout=10)
    ward.crew.resize(2)
    ward.clock.advance(LATE - 0.1)
    ward.supervisor.round()
    assert queue_of(ward.crew).stats().in_flight == 5
    ward.clock.advance(0.2)
    ward.supervisor.round()
    assert ward.begun.acquire(timeout=10)  # by the other thread
    assert queue_of(ward.crew).stats().in_flight == 2
    for _ in range(6):
        ward.go_on.release()
    wait_until(lambda: queue_of(ward.crew).stats().counters.finished == 6)
    assert sorted(ward.consumer.seen) == ["0", "1", "2", "3", "4", "9"]


def test_which_message_hangs_goes_by_the_time_that_is_usual(ward: Ward) -> None:
    ward.begin(message(0))
    ward.clock.advance(LATE + 0.1)
    assert ward.supervisor.hung_for(ward.crew, usual=0.01) == pytest.approx(LATE + 0.1)
    assert ward.supervisor.hung_for(ward.crew, usual=1.0) == 0
    ward.clock.advance(10.0)
    assert ward.supervisor.hung_for(ward.crew, usual=1.0) == pytest.approx(LATE + 10.1)


def test_a_crew_that_was_told_to_stop_is_held_up_by_what_hangs(ward: Ward) -> None:
    ward.begin(message(0))
    ward.clock.advance(HELD_UP - 1)
    ward.crew.stop()
    assert not is_held_up(ward.crew, since=ward.clock.seconds(), now=ward.clock.seconds())
    ward.clock.advance(2)
    assert is_held_up(ward.crew, since=ward.clock.seconds(), now=ward.clock.seconds())
    ward.go_on.release()
    assert ward.crew.gone.wait(10)
    assert not is_held_up(ward.crew, since=0.0, now=ward.clock.seconds())


def test_a_crew_that_hangs_without_a_message_is_held_up_too(ward: Ward) -> None:
    done = threading.Event()
    ward.consumer.stop = in_turn(lambda: done.wait(10))  # type: ignore[method-assign]
    ward.crew.stop()
    assert not is_held_up(ward.crew, since=ward.clock.seconds(), now=ward.clock.seconds())
    ward.clock.advance(HELD_UP + 1)
    assert is_held_up(ward.crew, since=0.0, now=ward.clock.seconds())
    done.set()


def test_it_is_reported_once(ward: Ward) -> None:
    ward.begin(message(0))
    for _ in range(5):
        ward.clock.advance(TIMEOUT + 1)
        ward.supervisor.round()
    assert len(ward.reports()) == 1


def test_within_its_time_nothing_is_said(ward: Ward) -> None:
    ward.begin(message(0))
    ward.clock.advance(TIMEOUT - 1)
    ward.supervisor.round()
    assert ward.reports() == []
    assert not ward.supervisor.is_stuck(ward.crew)


def test_the_next_one_that_takes_too_long_is_reported_too(ward: Ward) -> None:
    ward.begin(*messages(2))
    for _ in range(2):
        ward.clock.advance(TIMEOUT + 1)
        ward.supervisor.round()
        ward.go_on.release()
        if len(ward.reports()) < 2:
            assert ward.begun.acquire(timeout=10)
    assert ["'0'" in ward.reports()[0], "'1'" in ward.reports()[1]] == [True, True]


def test_one_that_goes_on_is_stuck_no_more(ward: Ward) -> None:
    ward.begin(message(0))
    ward.clock.advance(TIMEOUT + 1)
    ward.supervisor.round()
    ward.go_on.release()
    wait_until(lambda: queue_of(ward.crew).stats().counters.finished == 1)
    ward.supervisor.round()
    assert not ward.supervisor.is_stuck(ward.crew)


def test_one_that_is_dismissed_is_leaving_until_it_has_ended_and_then_is_not_listed(ward: Ward) -> None:
    ward.crew.resize(2)
    first, second = ward.crew.workers
    ward.begin(message(0))
    ward.begin(message(1))
    ward.crew.resize(1)
    assert [row["state"] for row in ward.supervisor.threads(ward.crew)] == ["busy", "leaving"]
    assert ward.supervisor.threads(ward.crew)[1]["topic"] is not None
    for _ in range(2):
        ward.go_on.release()
    second[1].join(10)
    assert [row["name"] for row in ward.supervisor.threads(ward.crew)] == [first[1].name]
    wait_until(lambda: sum(ward.crew.times()[0]) == 2, 10, "the times of both")


def test_a_thread_that_died_is_dead(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, thread),) = ward.crew.workers
    monkeypatch.setattr(thread, "is_alive", lambda: False)
    assert [row["state"] for row in ward.supervisor.threads(ward.crew)] == ["dead"]


def test_one_that_ended_as_it_was_told_to_is_no_dead_one(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has ended between the look at who is there and that at its thread. One that died with a message has not."""
    ((worker, thread),) = ward.crew.workers
    monkeypatch.setattr(ward.crew, "forget_ended", lambda: None)
    monkeypatch.setattr(ward.crew, "is_leaving", lambda _: True)
    assert [row["state"] for row in ward.supervisor.threads(ward.crew)] == ["leaving"]
    ward.begin(message(0))
    monkeypatch.setattr(thread, "is_alive", lambda: False)
    assert [row["state"] for row in ward.supervisor.threads(ward.crew)] == ["dead"]
    ward.go_on.release()
    wait_until(lambda: worker.delivery is None)
    assert [row["state"] for row in ward.supervisor.threads(ward.crew)] == ["leaving"]


def test_a_consumer_that_was_idle_for_long_is_not_stuck_when_it_begins(ward: Ward) -> None:
    ward.begin(message(0))
    ward.go_on.release()
    wait_until(lambda: queue_of(ward.crew).stats().counters.finished == 1)
    ward.clock.advance(100 * TIMEOUT)
    ward.begin(message(1))
    ward.supervisor.round()
    assert ward.reports() == []


def test_the_watchdog_is_fed_after_a_round_that_went_well(ward: Ward) -> None:
    ward.supervisor.round()
    ward.supervisor.round()
    assert ward.fed == 2


def test_the_watchdog_is_not_fed_after_a_round_that_failed() -> None:
    fed: list[None] = []

    def broken() -> list[Crew]:
        raise RuntimeError("the consumers is broken")

    with pytest.raises(RuntimeError):
        Supervisor(broken, Clock().seconds, lambda: fed.append(None)).round()
    assert fed == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_replaced_at_the_next_round(ward: Ward) -> None:
    def die(_: float) -> int:
        raise SystemExit("this thread dies")

    worker, thread = ward.crew.workers[0]
    worker._report = die  # type: ignore[method-assign, assignment]
    ward.begin(message(0))
    ward.go_on.release()
    thread.join(10)
    del worker._report
    ward.supervisor.round()
    assert ward.crew.replaced == 1
    ward.clock.advance(10.0)
    offer(queue_of(ward.crew), [message(1)])
    assert ward.begun.acquire(timeout=10)
    ward.go_on.release()
    ward.go_on.release()
    wait_until(lambda: queue_of(ward.crew).stats().counters.backlog == 0)


def test_the_stack_of_a_thread_that_is_gone_is_empty() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    assert stack_of(thread) == ""
    lines = stack_of(threading.current_thread()).splitlines()
    assert any("test_the_stack_of_a_thread" in line for line in lines)
    assert all(line.startswith("  ") for line in lines)


def test_a_thread_without_a_message_is_idle(ward: Ward) -> None:
    (row,) = ward.supervisor.threads(ward.crew)
    name = "hubbub-mailer-1"
    assert row == {"name": name, "state": "idle", "topic": None, "message_id": None, "seconds": None}
