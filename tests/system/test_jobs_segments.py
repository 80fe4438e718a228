"""Segments of PostgreSQL's tables while several programs tend them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from hub.jobs import Fenced, Jobs, JobState
from hub.jobs.connections import url_of
from hub.jobs.postgresql import PostgreSQL, carrying, segments
from hub.jobs.postgresql.segments import SegmentLimits
from tests.system.job_stores import let_lease_pass, rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


@pytest.fixture
def jobs(dsn: str) -> Iterator[Jobs]:
    with Jobs(dsn, lease=60.0) as made:
        yield made


def tending(dsn: str) -> PostgreSQL:
    """A program for which a segment is full at ten jobs, and given up at once."""
    made = PostgreSQL(url_of(dsn), SegmentLimits(jobs=10, grace=0.0))
    made.open()
    return made


@pytest.mark.parametrize("place", ["_is_ours", "lanes_that_stand_in", "has_open_claims", "lanes_that_wait_in"])
def test_one_that_another_drops_meanwhile_is_no_error(
    dsn: str, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """:param place: where the other one comes between."""
    one, other = tending(dsn), tending(dsn)
    jobs.insert_many("q", range(20))
    jobs.complete(jobs.claim(20))
    one._segments._rotate()
    called = getattr(segments, place)

    def interrupted(*values: Any) -> Any:
        monkeypatch.setattr(segments, place, called)
        other.upkeep()
        return called(*values)

    monkeypatch.setattr(segments, place, interrupted)
    one.upkeep()
    one.upkeep()
    assert rows(jobs, "SELECT number FROM hubbub_jobs.segment WHERE dropped IS NULL") == [(2,)]
    jobs.insert("q", "on")
    assert [job.json() for job in jobs.claim(5)] == ["on"]
    one.close()
    other.close()


@pytest.fixture
def small(dsn: str, jobs: Jobs) -> Iterator[PostgreSQL]:
    jobs.counts()
    made = tending(dsn)
    yield made
    made.close()


def kept(jobs: Jobs, kind: str) -> list[int]:
    """Numbers of the segments whose table of that kind is in use."""
    found = rows(
        jobs, f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'hubbub_jobs.{kind}'::regclass"
    )
    return sorted(int(name.rpartition("_")[2]) for (name,) in found)


def work(jobs: Jobs, small: PostgreSQL, times: int = 3) -> None:
    """Fill and work segments."""
    for _ in range(times):
        jobs.insert_many("busy", range(10))
        jobs.complete(jobs.claim(10, ["busy"]))
        small.upkeep()


def test_a_job_that_runs_for_long_keeps_no_segment(jobs: Jobs, small: PostgreSQL) -> None:
    handles = jobs.insert_many("q", range(20), max_retries=5)
    claimed = jobs.claim(20)
    jobs.complete(claimed[:10])
    small.upkeep()
    jobs.complete(claimed[10:18])
    for _ in range(2):
        work(jobs, small)
        assert kept(jobs, "job")[0] == kept(jobs, "claim")[0] > 1
        assert jobs.counts()["q"].running == 2
    jobs.complete(claimed[18], status=3)
    found = jobs.find(handles[18])
    assert found is not None
    assert (found.state, found.status) == (JobState.FINISHED, 3)
    jobs.retry(claimed[19], "no", 0)
    work(jobs, small)
    (again,) = jobs.claim(5, ["q"])
    assert (again.id, again.attempt, again.body) == (handles[19].id, 2, claimed[19].body)
    jobs.complete(again)
    work(jobs, small)
    assert jobs.counts() == {}
    assert {jobs.find(handle).state for handle in handles} == {JobState.FINISHED}  # type: ignore[union-attr]


def test_what_was_settled_before_its_claim_was_carried_is_not_done_again(
    dsn: str, jobs: Jobs, small: PostgreSQL
) -> None:
    with Jobs(dsn, lease=60.0) as other:
        jobs.insert_many("q", range(20))
        claimed = other.claim(20)
        other.retry(claimed[:5], "no", 0)
        other.complete(claimed[5:19])
        work(jobs, small)
        other._in_hand.add(claimed[:19])  # as if the answers had been lost
        other.retry(claimed[:5], "no", 0)
        other.complete(claimed[5:19])
        assert jobs.counts()["q"].waiting == 5
        let_lease_pass(other)
        jobs.maintain()
        assert jobs.counts()["q"].waiting == 6
        with pytest.raises(Fenced):
            other.complete(claimed[19])
    found = [job for _ in range(3) for job in jobs.claim(20)]
    assert sorted(job.id for job in found) == [job.id for job in [*claimed[:5], claimed[19]]]
    assert found[-1].body == claimed[19].body


def test_many_that_wait_are_carried_in_parts_and_stay_in_their_order(
    jobs: Jobs, small: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (segments, carrying):
        monkeypatch.setattr(module, "MOST_CARRIED", 7)
    jobs.pause("slow")
    for number in range(0, 60, 10):
        jobs.insert_many("slow", range(number, number + 10), priority=4 if number % 20 else 6)
        jobs.insert_many("busy", range(30))
        jobs.complete(jobs.claim(30, ["busy"]))
    small.upkeep()
    work(jobs, small)
    assert kept(jobs, "job")[0] > 1
    jobs.resume("slow")
    found = [job.json() for _ in range(12) for job in jobs.claim(5, ["slow"])]
    assert found == [*range(10), *range(20, 30), *range(40, 50), *range(10, 20), *range(30, 40), *range(50, 60)]
    assert jobs.claim(1) == []
    assert jobs.counts()["slow"].running == 60


def test_a_paused_queue_keeps_what_it_has_and_no_segment_of_others(jobs: Jobs, small: PostgreSQL) -> None:
    jobs.pause("slow")
    jobs.insert_many("slow", range(30))
    small.upkeep()
    work(jobs, small, 6)
    assert kept(jobs, "job")[0] == 1
    assert len(kept(jobs, "job")) <= 3
    assert kept(jobs, "claim")[0] > 1
    jobs.resume("slow")
    assert [job.json() for job in jobs.claim(20, ["slow"])] == list(range(20))
    small._segments._resting.clear()  # a minute later
    work(jobs, small, 1)
    assert kept(jobs, "job")[0] > 1
    assert [job.json() for job in jobs.claim(20, ["slow"])] == list(range(20, 30))
    jobs.complete(jobs.in_hand)
    assert jobs.counts() == {}


def test_a_claim_beside_the_carrying_gets_each_job_once(jobs: Jobs, small: PostgreSQL) -> None:
    done: list[int] = []
    ended = threading.Event()

    def carry_on() -> None:
        while not ended.is_set():
            small.upkeep()

    thread = threading.Thread(target=carry_on)
    thread.start()
    try:
        for number in range(20):
            jobs.insert_many("a", range(8))
            jobs.insert_many("b", range(8), priority=number % 10)
            claimed = jobs.claim(5)
            done += [job.id for job in claimed]
            jobs.complete(claimed)
        while claimed := jobs.claim(50):
            done += [job.id for job in claimed]
            jobs.complete(claimed)
    finally:
        ended.set()
        thread.join()
    assert len(done) == len(set(done)) == 320
    assert jobs.counts() == {}
