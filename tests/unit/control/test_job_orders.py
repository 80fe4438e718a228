"""Orders on the queue of a consumer of jobs, carried out in a real database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from hub.control import job_orders
from hub.control.job_orders import NO_CANARY, NO_END
from hub.deadletter import DeadLetter
from hub.errors import HubError
from hub.jobs import Jobs
from tests.conftest import ReactorThread


class Place:
    """A consumer of jobs, as far as the orders need one."""

    def __init__(self, reactor_thread: ReactorThread, jobs: Jobs) -> None:
        self.jobs, self._thread = jobs, reactor_thread
        self.paused: list[bool] = []
        self.restarts = 0
        self.source = SimpleNamespace(jobs=jobs, queue="work", database=None, pause=self.paused.append)
        rates = SimpleNamespace(restart=self._count)
        self.member: Any = SimpleNamespace(name="worker", source=self.source, rates=rates)
        self.hub: Any = SimpleNamespace(reactor=reactor_thread.reactor)

    def _count(self) -> None:
        self.restarts += 1

    def order(self, order: Callable[..., Deferred[Any]], *arguments: Any) -> Any:
        return self._thread.call(order, self.hub, self.member, *arguments)

    def bury(self, *bodies: str, queue: str = "work") -> list[int]:
        """Dead letters. :returns: their numbers."""
        numbers = [self.jobs.insert(queue, body.encode()).id for body in bodies]
        for job in self.jobs.claim(len(bodies), [queue]):
            self.jobs.bury(job, f"Traceback\n\nno use: {job.body.decode()}")
        return numbers


@pytest.fixture
def place(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[Place]:
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as jobs:
        yield Place(reactor_thread, jobs)


def test_a_pause_is_kept_in_the_database_and_ended_there(place: Place) -> None:
    def paused() -> bool:
        return place.jobs.counts()["work"].paused

    place.jobs.insert("work", b"1")
    place.order(job_orders.pause, None)
    assert (paused(), place.paused, place.restarts) == (True, [True], 0)
    place.order(job_orders.resume)
    assert (paused(), place.paused, place.restarts) == (False, [True, False], 1)


def test_a_pause_with_an_end_is_refused(place: Place) -> None:
    with pytest.raises(HubError, match=NO_END.format("worker")[:40]):
        place.order(job_orders.pause, 17.0)
    assert place.paused == []


def test_what_goes_wrong_in_the_database_is_told_to_who_ordered_it(place: Place) -> None:
    def broken() -> None:
        raise HubError(f"in {threading.current_thread().name}")

    with pytest.raises(HubError, match="in hubbub-job-order"):
        place.order(lambda hub, _: job_orders.in_thread(hub, broken))


def test_dead_letters_are_the_oldest_first_and_those_of_the_queue_alone(place: Place) -> None:
    numbers = place.bury("one", "two")
    (other,) = place.bury("three", queue="other")
    waiting = place.jobs.insert("work", "waits").id
    found: list[DeadLetter] = place.order(job_orders.letters, None)
    assert [(one.number, one.message.body, one.reason, one.attempts) for one in found] == [
        (numbers[0], b"one", "no use: one", 1),
        (numbers[1], b"two", "no use: two", 1),
    ]
    assert found[0].traceback == "Traceback"
    assert found[0].message.backend == "jobs"
    place.source.database = "main"
    (one,) = place.order(job_orders.letters, numbers[1])
    assert (one.number, one.message.backend) == (numbers[1], "main")
    assert [place.order(job_orders.letters, number) for number in (other, waiting, 999)] == [[], [], []]


@pytest.mark.parametrize(
    ("most", "shown"), [(10, ["aaaa", "bbbb"]), (8, ["aaaa", "bbbb"]), (7, ["aaaa"]), (1, ["aaaa"])]
)
def test_only_as_many_are_shown_as_fit_and_always_the_first(
    place: Place, monkeypatch: pytest.MonkeyPatch, most: int, shown: list[str]
) -> None:
    place.bury("aaaa", "bbbb")
    monkeypatch.setattr(job_orders, "MOST_BYTES", most)
    assert [one.message.body.decode() for one in place.order(job_orders.letters, None)] == shown


def test_those_that_are_named_wait_again_and_how_many_had_gone_is_said(place: Place) -> None:
    first, second, third = place.bury("1", "2", "3")
    answer = place.order(job_orders.retry_dead, [second, first, second], None)
    assert (answer.start, answer.stop, answer.count, answer.problem) == (0, 2, 2, "")
    answer = place.order(job_orders.retry_dead, [first, third], None)
    assert (answer.stop, answer.count, answer.problem) == (1, 1, "1 dead letter had gone before")
    counts = place.jobs.counts()["work"]
    assert (counts.waiting, counts.dead) == (3, 0)
    assert place.order(job_orders.retry_dead, [], None).count == 0
    with pytest.raises(HubError, match=NO_CANARY[:20]):
        place.order(job_orders.retry_dead, [third], 1)


def test_those_that_are_named_are_deleted_and_nothing_else(place: Place) -> None:
    first, second = place.bury("1", "2")
    (other,) = place.bury("3", queue="other")
    waiting = place.jobs.insert("work", "waits").id
    assert place.order(job_orders.delete_dead, [first, first, other, waiting, 999]) == 1
    counts = place.jobs.counts()
    assert (counts["work"].dead, counts["work"].waiting, counts["other"].dead) == (1, 1, 1)
    assert [one.number for one in place.order(job_orders.letters, None)] == [second]
