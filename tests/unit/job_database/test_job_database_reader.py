"""A backend's reader of a job queue, on the dispatcher and the file of SQLite that consumers' sources have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.job_database.reader import FIRST_CLAIM, DatabaseReader
from hub.jobs import Job, JobState
from tests.contracts.job_sources import QUEUE, JobRig


class ReaderRig:
    """A reader, and how often it was told that there may be jobs."""

    def __init__(self, rig: JobRig) -> None:
        self.rig, self.jobs = rig, rig.jobs
        self.ready = 0
        self.ended: list[DatabaseReader] = []
        rig.dispatcher.detach(rig.source)
        self.reader = DatabaseReader("of bus", QUEUE, None, self._tell, self.ended.append, lambda low, high: high)
        rig.dispatcher.attach(self.reader)

    def _tell(self) -> None:
        self.ready += 1

    def insert(self, count: int) -> list[int]:
        return [handle.id for handle in self.jobs.insert_many(QUEUE, range(count))]

    def states(self) -> tuple[int, int, int, int]:
        """Jobs that wait, are delayed, run, and are dead."""
        self.rig.drive()
        found = self.jobs.counts().get(QUEUE)
        return (found.waiting, found.delayed, found.running, found.dead) if found else (0, 0, 0, 0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(clock: Clock) -> Iterator[ReaderRig]:
    rig = JobRig(clock.seconds)
    yield ReaderRig(rig)
    rig.end()


def test_what_is_wanted_is_claimed_and_taken_as_messages(rig: ReaderRig) -> None:
    numbers = rig.insert(5)
    assert rig.states() == (5, 0, 0, 0)
    rig.reader.want(3)
    assert rig.states() == (2, 0, 3, 0)
    assert rig.ready == 1
    first, second = rig.reader.take(2)
    assert [one.current.id for one in (first, second)] == [str(number) for number in numbers[:2]]
    assert (first.current.body, first.attempts, first.priority) == (b"0", 0, 4)
    (third,) = rig.reader.take(10)
    assert rig.reader.take(10) == []
    rig.reader.finish([first, third])
    rig.reader.want(0)
    assert rig.states() == (2, 0, 1, 0)
    assert rig.reader.in_hand_of(rig.rig.dispatcher) == 1


def test_what_nobody_takes_goes_back_and_counts_no_attempt(rig: ReaderRig) -> None:
    (number,) = rig.insert(1)
    rig.reader.want(1)
    assert rig.states() == (0, 0, 1, 0)
    rig.reader.want(0)
    assert rig.states() == (1, 0, 0, 0)
    found = rig.jobs.find(number)
    assert found is not None
    assert found.attempts == 0


def test_what_is_put_back_is_taken_again_first(rig: ReaderRig) -> None:
    rig.insert(3)
    rig.reader.want(3)
    rig.rig.drive()
    taken = rig.reader.take(2)
    rig.reader.put_back(taken)
    assert [one.current.body for one in rig.reader.take(3)] == [b"0", b"1", b"2"]


def test_a_failure_comes_again_and_the_last_one_is_a_dead_letter(rig: ReaderRig) -> None:
    handle = rig.jobs.insert(QUEUE, 1, max_retries=1)
    rig.reader.want(1)
    rig.rig.drive()
    (taken,) = rig.reader.take(1)
    assert rig.reader.retry_delay(taken) == 15
    rig.reader.retry(taken, 0.0, "no disk")
    rig.rig.drive()
    rig.rig.drive()
    (again,) = rig.reader.take(1)
    assert (again.attempts, again.current.headers["attempt"]) == (1, 2)
    rig.reader.retry(again, 0.0, "no disk")
    assert rig.states() == (0, 0, 0, 1)
    assert [error.text for error in rig.jobs.errors(handle)] == ["no disk", "no disk"]


def test_a_job_is_buried_with_its_reason(rig: ReaderRig) -> None:
    rig.insert(1)
    rig.reader.want(1)
    rig.rig.drive()
    rig.reader.bury(rig.reader.take(1)[0], "no picture")
    assert rig.states() == (0, 0, 0, 1)
    assert rig.jobs.peek(QUEUE, JobState.DEAD)[0].reason == "no picture"


def test_nothing_is_taken_while_the_lease_may_have_passed(rig: ReaderRig, clock: Clock) -> None:
    rig.insert(1)
    rig.reader.want(1)
    rig.rig.drive()
    clock.advance(3601)
    assert rig.reader.take(1) == []
    rig.rig.dispatcher.beaten(clock.seconds())
    assert rig.ready == 2
    assert len(rig.reader.take(1)) == 1


def test_what_is_somebody_elses_by_now_is_not_taken(rig: ReaderRig) -> None:
    rig.insert(2)
    rig.reader.want(2)
    rig.rig.drive()
    assert rig.reader.forget(rig.reader.buffered()[:1]) == 1
    assert [one.current.body for one in rig.reader.take(2)] == [b"1"]


def test_a_claim_is_bounded_by_what_bodies_take(rig: ReaderRig) -> None:
    rig.reader.want(1000)
    assert rig.reader.wants == FIRST_CLAIM
    rig.insert(FIRST_CLAIM)
    rig.rig.drive()
    assert rig.reader.wants == 1000 - FIRST_CLAIM


def test_when_it_is_closed_what_was_taken_is_settled_still(rig: ReaderRig) -> None:
    rig.insert(2)
    rig.reader.want(2)
    rig.rig.drive()
    (taken,) = rig.reader.take(1)
    rig.reader.close()
    assert rig.ended == [rig.reader]
    rig.rig.dispatcher.detach(rig.reader)
    assert rig.states() == (1, 0, 1, 0)
    rig.reader.give_back([taken])
    assert rig.states() == (2, 0, 0, 0)


def test_what_is_claimed_while_it_is_closed_goes_back(rig: ReaderRig, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = rig.jobs.claim

    def late(*given: Any) -> list[Job]:
        found = claim(*given)
        rig.rig.dispatcher.detach(rig.reader)
        return found

    rig.insert(2)
    rig.reader.want(2)
    monkeypatch.setattr(rig.jobs, "claim", late)
    rig.states()
    assert rig.states() == (2, 0, 0, 0)
    assert (rig.reader.buffered(), rig.jobs.in_hand, rig.ready) == ([], [], 0)
