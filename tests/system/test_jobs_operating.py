"""What an operator asks of jobs and orders, the same on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from hub.jobs import BadDatabase, BadJob, Jobs, JobState
from hub.jobs.connections import url_of
from hub.jobs.postgresql import schema
from hub.jobs.sqlite import database
from tests.support import wait_until
from tests.system.job_stores import rows

pytestmark = pytest.mark.system
Make = Callable[..., Jobs]
STATES = ("waiting", "delayed", "dead")


def fill(jobs: Jobs, queue: str = "q", number: int = 3) -> dict[str, list[int]]:
    """Have jobs in each state. :returns: their numbers by state."""
    dead = jobs.insert_many(queue, range(number))
    jobs.bury(jobs.claim(number, [queue]), "no")
    delayed = jobs.insert_many(queue, range(number), run_after=3600)
    waiting = jobs.insert_many(queue, range(number))
    return {
        state: [handle.id for handle in handles]
        for state, handles in zip(STATES, (waiting, delayed, dead), strict=True)
    }


def states(jobs: Jobs, numbers: list[int]) -> list[JobState | None]:
    found = [jobs.find(number) for number in numbers]
    return [None if status is None else status.state for status in found]


@pytest.mark.parametrize("state", STATES)
def test_a_purge_cancels_the_jobs_of_one_state(jobs: Jobs, state: str) -> None:
    numbers = fill(jobs)
    others = fill(jobs, "other")
    assert jobs.purge("q", state, limit=2) == 2
    assert states(jobs, numbers[state]) == [JobState.CANCELLED, JobState.CANCELLED, JobState(state)]
    assert jobs.purge("q", state) == 1
    assert jobs.purge("q", state) == 0
    assert jobs.purge("nothing", state) == 0
    counts = jobs.counts()
    assert {one: getattr(counts["q"], one) for one in STATES} == {one: 3 * (one != state) for one in STATES}
    assert {one: getattr(counts["other"], one) for one in STATES} == dict.fromkeys(STATES, 3)
    assert [job.id for job in jobs.claim(10, ["q"])] == (numbers["waiting"] if state != "waiting" else [])
    assert [job.id for job in jobs.claim(10, ["other"])] == others["waiting"]


def test_a_purge_leaves_what_runs_and_takes_what_came_again(jobs: Jobs) -> None:
    jobs.insert_many("q", range(4), priority=2)
    jobs.insert("q", "urgent", priority=8)
    runs, failed = jobs.claim(2)
    jobs.retry(failed, "again")
    jobs.cancel(jobs.peek("q")[0].id)
    assert jobs.purge("q") == 3
    assert (jobs.counts()["q"].waiting, jobs.counts()["q"].running) == (0, 1)
    jobs.complete(runs)
    after = jobs.insert("q", "after")
    assert [job.id for job in jobs.claim(10)] == [after.id]


@pytest.mark.parametrize("state", STATES)
def test_a_purge_releases_keys(jobs: Jobs, state: str) -> None:
    jobs.insert("q", 1, key="k", run_after=3600 if state == "delayed" else None)
    if state == "dead":
        jobs.bury(jobs.claim(), "no")
    assert jobs.purge("q", state) == 1
    assert jobs.insert("q", 2, key="k").new


def test_a_purge_of_a_paused_queue(jobs: Jobs) -> None:
    jobs.insert_many("q", range(20))
    jobs.pause("q", "the disk")
    assert jobs.counts()["q"].reason == "the disk"
    assert jobs.purge("q") == 20
    jobs.resume("q")
    assert jobs.claim(100) == []


def test_what_runs_is_not_purged(jobs: Jobs) -> None:
    with pytest.raises(ValueError, match="expected waiting, delayed or dead"):
        jobs.purge("q", "running")


def test_dead_letters_are_chosen_by_their_reason(jobs: Jobs) -> None:
    jobs.insert_many("q", range(4))
    for job, reason in zip(jobs.claim(4), ("Timeout: a", "100% wrong", "Timeout: b", "it's"), strict=True):
        jobs.bury(job, reason)
    assert jobs.retry_dead("q", error="0% w") == 1
    assert jobs.retry_dead("q", error="timeout") == 0
    assert jobs.retry_dead("q", error="Timeout", limit=1) == 1
    assert jobs.retry_dead("q", error="it's") == 1
    assert [job.reason for job in jobs.peek("q", "dead")] == ["Timeout: b"]
    assert sorted(job.json() for job in jobs.claim(10)) == [0, 1, 3]


def test_a_job_is_read_in_each_state_until_it_ends(jobs: Jobs) -> None:
    numbers = fill(jobs, number=1)
    runs = jobs.insert("other", {"runs": "ä"}, tags=["t"], key="k", priority=9, max_retries=7)
    (job,) = jobs.claim(1, ["other"])
    for state in STATES:
        found = jobs.read(numbers[state][0])
        assert found is not None
        assert (found.id, found.queue, found.body) == (numbers[state][0], "q", b"0")
    dead = jobs.read(numbers["dead"][0])
    assert dead is not None
    assert dead.reason == "no"
    found = jobs.read(runs)
    assert found is not None
    assert (found.json(), found.tags, found.key, found.priority, found.max_retries) == (
        {"runs": "ä"},
        ("t",),
        "k",
        9,
        7,
    )
    assert (found.attempt, found.claim, found.process) == (1, 0, 0)
    jobs.complete(job)
    assert jobs.read(runs) is None
    assert jobs.read(10**6) is None


def test_errors_of_all_jobs_are_in_the_order_of_time(jobs: Jobs) -> None:
    for number in range(3):
        for queue in ("a", "b"):
            handle = jobs.insert(queue, number, max_retries=0)
            jobs.retry(jobs.claim(1, [queue]), f"{queue}{number}")
    assert [(error.queue, error.text) for error in jobs.recent_errors()] == [
        (queue, f"{queue}{number}") for number in range(3) for queue in ("a", "b")
    ]
    last = jobs.recent_errors("b", limit=2)
    assert [error.text for error in last] == ["b1", "b2"]
    assert (last[-1].job, last[-1].attempt) == (handle.id, 1)
    assert [error.text for error in jobs.recent_errors("b", since=last[0].at)] == ["b1", "b2"]
    assert jobs.recent_errors(since=last[-1].at + 1) == []
    assert jobs.errors(handle) == [last[-1]]


def test_names_of_queues_outlive_their_jobs(make: Make, jobs: Jobs) -> None:
    assert jobs.queue_names() == []
    jobs.insert_many("b", range(2))
    jobs.insert("a", 1, run_after=3600)
    jobs.complete(jobs.claim(10))
    jobs.pause("c")
    assert make().queue_names() == ["a", "b", "c"]
    assert set(jobs.counts()) == {"a", "c"}


def test_without_tables_a_look_makes_none(make: Make, jobs: Jobs) -> None:
    with pytest.raises(BadDatabase, match="no job was ever inserted"):
        make(migrate=False).counts()
    with pytest.raises(BadDatabase, match="no job was ever inserted"):
        make(migrate=False).counts()
    jobs.insert("q", 1)
    assert make(migrate=False).counts()["q"].waiting == 1


def test_a_look_refuses_an_older_schema_and_an_insertion_migrates_it(make: Make, dsn: str, jobs: Jobs) -> None:
    """As the first version made it, with a job and an error."""
    engine = create_engine(url_of(dsn))
    on_sqlite = engine.dialect.name == "sqlite"
    tables: Any = database.MIGRATIONS[0] if on_sqlite else schema.MIGRATIONS[0]
    with engine.begin() as connection:
        if on_sqlite:
            head = [f"PRAGMA application_id = {database.APPLICATION}", "PRAGMA user_version = 1"]
        else:
            head = [
                "CREATE SCHEMA hubbub_jobs",
                "CREATE TABLE hubbub_jobs.version (one boolean PRIMARY KEY, version integer)",
            ]
            head += ["INSERT INTO hubbub_jobs.version VALUES (true, 1)"]
        for statement in [*head, *tables.split(";\n")]:
            if statement.strip():
                connection.execute(text(statement))
        table = "error" if on_sqlite else "hubbub_jobs.error"
        at = "1.0" if on_sqlite else "to_timestamp(1)"
        connection.execute(text(f"INSERT INTO {table} (job, attempt, at, text) VALUES (7, 1, {at}, 'old')"))
    engine.dispose()
    with pytest.raises(BadDatabase, match=r"version 1, .* needs"):
        make(migrate=False).counts()
    if on_sqlite:
        jobs.insert("q", 1)
        assert jobs.queue_names() == ["q"]
    else:
        jobs.queue_names()
    assert [(error.job, error.queue, error.text) for error in jobs.recent_errors()] == [(7, "", "old")]


def test_a_purge_waits_for_no_transaction_that_replaces_a_job(dsn: str, jobs: Jobs) -> None:
    """Whoever gives a key to another job has locked it; that job is left, and the others are purged."""
    if dsn.startswith("sqlite"):
        return  # one writer at a time: nobody can hold a key alone
    jobs.insert_many("q", range(3), keys=["a", "b", "c"], run_after=3600)
    engine = create_engine(url_of(dsn))
    with engine.connect() as other:
        jobs.insert("q", "new", key="b", conflict="replace", connection=other)
        assert jobs.purge("q", "delayed") == 2
        other.rollback()
    engine.dispose()
    assert [job.key for job in jobs.peek("q", "delayed")] == ["b"]
    assert rows(jobs, "SELECT key FROM hubbub_jobs.live_key") == [("b",)]
    wait_until(lambda: jobs.purge("q", "delayed") == 1)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 201])
def test_a_name_that_no_queue_can_have_is_refused_by_each_order(jobs: Jobs, name: str) -> None:
    orders: list[Callable[[str], object]] = [jobs.peek, jobs.kick, jobs.purge, jobs.retry_dead, jobs.pause, jobs.resume]
    orders += [jobs.recent_errors, lambda queue: jobs.claim(1, [queue])]
    for order in orders:
        with pytest.raises(BadJob, match="a queue's name"):
            order(name)
    with pytest.raises(BadJob, match="a tag"):
        jobs.peek("q", tags=[name])


def test_a_text_that_no_database_takes_is_a_reason_all_the_same(jobs: Jobs) -> None:
    jobs.pause("q", "a\0b\ud800")
    assert jobs.counts()["q"].reason == "a\\0b\\ud800"
    jobs.insert("r", 1)
    jobs.bury(jobs.claim(1, ["r"]), "a\0b\ud800")
    assert jobs.retry_dead("r", error="\0b\ud800") == 1


@pytest.mark.parametrize("number", [-1, 0, 2**63 - 1, 2**63, 10**30])
def test_a_number_that_no_job_can_have_is_no_job(jobs: Jobs, number: int) -> None:
    assert (jobs.find(number), jobs.read(number), jobs.errors(number), jobs.cancel(number)) == (None, None, [], None)
    assert jobs.retry_dead("q", jobs=[number]) == 0


def test_a_limit_is_any_number_but_a_negative_one(jobs: Jobs) -> None:
    fill(jobs, number=2)
    orders: list[Callable[..., object]] = [jobs.peek, jobs.kick, jobs.purge, jobs.retry_dead, jobs.recent_errors]
    for order in orders:
        with pytest.raises(ValueError, match="limit of 0 or more"):
            order("q", limit=-1)
        assert not order("q", limit=0)
    assert len(jobs.peek("q", limit=10**30)) == jobs.kick("q", 10**30) == jobs.purge("q", limit=10**30) == 2
