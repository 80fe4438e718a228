"""The process that works jobs, on SQLite, with a clock that the test moves."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.jobs import BadDatabase, BadJob, Fenced, Jobs
from hub.jobs.checks import LONGEST_DELAY, LONGEST_ERROR, error_text
from hub.jobs.job import Job
from hub.jobs.retries import backoff
from tests.support import wait_until
from tests.unit.jobs.programs import Time, program


def test_a_silent_process_is_given_up_after_its_lease(jobs: Jobs, time: Time, tmp_path: Path) -> None:
    other = program(tmp_path, time)
    jobs.insert("q", 1)
    (job,) = jobs.claim()
    time.now += 14.0
    other.maintain()
    assert other.claim() == []
    jobs.heartbeat()
    time.now += 14.0
    other.maintain()
    assert other.claim() == []
    for _ in range(3):
        time.now += 5.0
        other.maintain()
    assert [again.attempt for again in other.claim()] == [2]
    assert jobs.heartbeat() == []
    assert jobs.in_hand == []
    with pytest.raises(Fenced):
        jobs.complete(job)
    other.close()


def test_a_program_that_was_away_claims_as_another_process(jobs: Jobs, time: Time, tmp_path: Path) -> None:
    jobs.insert_many("q", [1, 2])
    (job,) = jobs.claim()
    time.now += 60
    with program(tmp_path, time) as other:
        for _ in range(3):
            other.maintain()
            time.now += 5.5
    found = [*jobs.claim(5), *jobs.claim(5)]
    assert [one.id for one in found] == [1, 2]
    assert {one.process for one in found}.isdisjoint({job.process})


def test_after_an_outage_the_others_have_a_lease_to_come_back(jobs: Jobs, time: Time, tmp_path: Path) -> None:
    """The database was away from all: who comes back first would take all others for dead."""
    jobs.insert_many("q", [1, 2], max_retries=0)
    (job,) = jobs.claim()
    with program(tmp_path, time) as first, program(tmp_path, time) as dead:
        first.heartbeat()
        (lost,) = dead.claim()
        assert first.claim() == []
        first.maintain()
        time.now += 60
        first.heartbeat()
        first.maintain()
        assert jobs.heartbeat() == []
        jobs.complete(job)
        time.now += 14
        first.heartbeat()
        first.maintain()
        assert first.counts()["q"].running == 1
        time.now += 1
        first.maintain()
        assert first.peek("q", "dead")[0].id == lost.id


@pytest.mark.parametrize("delay", [1e13, "1000000d"])
def test_a_delay_that_no_database_can_count_is_ten_years(jobs: Jobs, time: Time, delay: float | str) -> None:
    handles = jobs.insert_many("q", range(2))
    retried, snoozed = jobs.claim(2)
    jobs.retry(retried, "no", delay)
    jobs.snooze(snoozed, delay)
    found = [jobs.find(handle) for handle in handles]
    assert [status and status.due for status in found] == [time.now + LONGEST_DELAY] * 2


def test_retries_wait_for_their_delay(jobs: Jobs, time: Time, tmp_path: Path) -> None:
    with program(tmp_path, time, retry_delay=lambda job: job.attempt * 10.0) as mine:
        mine.insert("q", 1)
        for attempt in (1, 2):
            (job,) = mine.claim()
            mine.retry(job, "failed")
            mine.maintain()
            assert mine.claim() == []
            time.now += attempt * 10.0
            mine.maintain()
        (job,) = mine.claim()
        assert job.attempt == 3
        mine.retry(job, "failed", "5s")
        time.now += 5.0
        mine.maintain()
        assert len(mine.claim()) == 1


def test_the_default_delay_has_full_jitter_and_a_bound_that_doubles() -> None:
    delay = backoff(lambda low, high: high - low)
    assert [delay(Job(1, "q", b"", 4, attempt, 25, 0.0)) for attempt in (1, 2, 3, 20)] == [15.0, 30.0, 60.0, 3600.0]


def test_what_is_old_is_pruned_at_its_time(jobs: Jobs, time: Time) -> None:
    handle = jobs.insert("q", 1)
    dead = jobs.insert("q", 2)
    first, second = jobs.claim(2)
    jobs.complete(first, 7)
    jobs.bury(second, "no")
    time.now += 86_300
    jobs.maintain()
    assert jobs.find(handle) is not None
    time.now += 200
    jobs.maintain()
    assert jobs.find(handle) is None
    assert len(jobs.errors(dead)) == 1
    time.now += 7 * 86_400
    jobs.maintain()
    assert jobs.errors(dead) == []
    assert jobs.find(dead) is not None
    time.now += 180 * 86_400
    jobs.maintain()
    assert jobs.find(dead) is None


def test_a_failing_database_keeps_the_jobs_in_hand(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert("q", 1)
    (job,) = jobs.claim()

    def fail(*_: object) -> bool:
        raise Unavailable("the jobs' database: away")

    with monkeypatch.context() as broken:
        broken.setattr(jobs._storage, "settle", fail)
        with pytest.raises(Unavailable):
            jobs.complete(job)
    assert jobs.in_hand == [job]
    jobs.complete(job)
    assert jobs.in_hand == []


def test_a_claim_is_closed_by_the_last_completion_that_is_committed(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by one that only went out last: another's may fail."""
    closed: list[list[bool]] = []
    settle = jobs._storage.settle

    def noting(process: int, settlements: Any, new: Any) -> Any:
        closed.append([one.closes for one in settlements])
        if len(closed) == 1:
            raise Unavailable("away")
        return settle(process, settlements, new)

    monkeypatch.setattr(jobs._storage, "settle", noting)
    jobs.insert_many("q", range(3))
    claimed = jobs.claim(3)
    with pytest.raises(Unavailable):
        jobs.complete(claimed[:1])
    jobs.complete(claimed[1:])
    jobs.complete(claimed[:1])
    assert closed == [[False], [False, False], [True]]


def test_keep_alive_beats_from_a_thread_and_outlives_failures(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def beat(process: int, _: Collection[int]) -> list[int]:
        calls.append(process)
        if len(calls) <= 2:
            raise Unavailable("away") if len(calls) == 1 else KeyError("a fault")
        return []

    jobs.insert("q", 1)
    jobs.claim()
    monkeypatch.setattr(jobs._storage, "beat", beat)
    jobs._beaten = -100.0
    turns = threading.Semaphore(0)

    def wait(ended: threading.Event, _: float) -> None:
        jobs._beaten = -100.0
        turns.release()
        ended.wait(0.001)

    with jobs.keep_alive(wait):
        wait_until(lambda: len(calls) >= 4)
    assert "KeyError: 'a fault'" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name in ("jobs-heartbeat", "jobs-upkeep")]


def test_keep_alive_begins_while_the_database_is_away_and_says_so_once(
    tmp_path: Path, time: Time, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = program(tmp_path, time)
    open_it, calls = jobs._storage.open, list[int]()

    def away(migrate: bool) -> None:
        calls.append(1)
        if len(calls) < 20:
            raise Unavailable("away")
        open_it(migrate)

    monkeypatch.setattr(jobs._storage, "open", away)
    with jobs, jobs.keep_alive(lambda ended, _: ended.wait(0.001)):
        wait_until(lambda: jobs._opened, 20, "the database to be there")
        jobs.insert("q", 1)
        assert len(jobs.claim()) == 1
    assert sorted(record.getMessage() for record in caplog.records) == [
        "no heartbeat: away; it is tried again",
        "no upkeep: away; it is tried again",
    ]


def test_upkeep_that_waits_keeps_no_heartbeat_waiting(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on, beats = threading.Event(), threading.Event(), list[int]()

    def upkeep() -> None:
        inside.set()
        go_on.wait(60)

    def beat(process: int, _: Collection[int]) -> list[int]:
        beats.append(process)
        return []

    def wait(ended: threading.Event, _: float) -> None:
        jobs._beaten = -100.0
        ended.wait(0.001)

    jobs.insert("q", 1)
    jobs.claim()
    monkeypatch.setattr(jobs._storage, "upkeep", upkeep)
    monkeypatch.setattr(jobs._storage, "beat", beat)
    with jobs.keep_alive(wait):
        assert inside.wait(60)
        seen = len(beats)
        wait_until(lambda: len(beats) >= seen + 3)
        go_on.set()


def test_an_error_is_kept_by_its_end_and_without_what_no_database_takes() -> None:
    assert error_text("a\0b\ud800") == "a\\0b\\ud800"
    assert error_text("") == "no reason was given"
    long = error_text("x" * 10_000 + "the end")
    assert len(long) == LONGEST_ERROR
    assert long.endswith("the end")
    assert error_text(ValueError("why")) == "ValueError: why"


def test_a_child_of_a_fork_has_what_its_parent_did_not_use_yet_or_any_more(jobs: Jobs) -> None:
    for _ in range(2):
        jobs._pid = os.getpid() + 1
        jobs.insert("q", 1)
        jobs.close()


def test_a_child_of_a_fork_is_told(jobs: Jobs) -> None:
    jobs.insert("q", 1)
    jobs._pid = os.getpid() + 1
    with pytest.raises(BadDatabase, match="fork"):
        jobs.claim()
    jobs._pid = os.getpid()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda jobs: jobs.claim(0), "one job or more"),
        (lambda jobs: jobs.claim(1, "q"), "a list of names"),
        (lambda jobs: jobs.complete([], 2**31), "32 bits"),
        (lambda jobs: jobs.insert_many("q", [1, 2], keys=["k"]), "a key for each"),
        (lambda jobs: jobs.snooze([], -1), "duration"),
    ],
)
def test_wrong_calls_are_told(jobs: Jobs, call: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        call(jobs)


@pytest.mark.parametrize(
    ("dsn", "reason"),
    [
        ("nonsense", "no DSN"),
        ("mysql://host/name", "not in mysql"),
        ("postgresql+pg8000://host/name", "not pg8000"),
        ("sqlite://", "not a database in memory"),
        ("sqlite:///:memory:", "not a database in memory"),
    ],
)
def test_a_dsn_that_cant_be_used_is_told(dsn: str, reason: str) -> None:
    with pytest.raises(BadDatabase, match=reason):
        Jobs(dsn)


def test_a_lease_has_a_least_length() -> None:
    with pytest.raises(ValueError, match="a lease has at least"):
        Jobs("sqlite:///jobs.db", lease=0)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        other.execute("CREATE TABLE theirs (id)")
    other.close()
    with Jobs("sqlite:///jobs.db", state_dir=tmp_path) as jobs, pytest.raises(BadDatabase, match="something else"):
        jobs.counts()
    with sqlite3.connect(tmp_path / "jobs.db") as other:
        assert other.execute("PRAGMA journal_mode").fetchall() == [("delete",)]
    other.close()
    (tmp_path / "jobs.db").write_bytes(b"this is no database" * 100)
    with Jobs("sqlite:///jobs.db", state_dir=tmp_path) as jobs, pytest.raises(BadDatabase, match="not a database"):
        jobs.counts()
    with Jobs("sqlite:///no/jobs.db", state_dir=tmp_path) as jobs, pytest.raises(BadDatabase, match="no directory"):
        jobs.counts()
    looks = Jobs("sqlite:///no/jobs.db", state_dir=tmp_path, migrate=False)
    with looks as jobs, pytest.raises(BadDatabase, match="no job was ever inserted"):
        jobs.counts()


def test_the_file_is_its_owners(tmp_path: Path) -> None:
    with Jobs("sqlite:///jobs.db", state_dir=tmp_path) as jobs:
        jobs.insert("q", 1)
    assert (tmp_path / "jobs.db").stat().st_mode & 0o777 == 0o600


def test_a_connection_to_another_file_is_refused(jobs: Jobs, tmp_path: Path) -> None:
    jobs.insert("q", 1)
    other = sqlite3.connect(tmp_path / "other.db")
    with pytest.raises(BadJob, match=r"other\.db, the jobs are in"):
        jobs.insert("q", 1, connection=other)
    other.close()
