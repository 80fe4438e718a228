"""Claims that PostgreSQL has committed, and whose answer never came."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, text

from hub.errors import Unavailable
from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.support import wait_until
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
WAITS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


@pytest.fixture
def jobs(dsn: str) -> Iterator[Jobs]:
    with Jobs(dsn, lease=60.0) as made:
        yield made


@pytest.fixture
def connection(dsn: str, jobs: Jobs) -> Iterator[Connection]:
    engine = create_engine(url_of(dsn))
    with engine.connect() as made:
        yield made
    engine.dispose()


def kill_who_waits(connection: Connection) -> None:
    def waiting() -> list[int]:
        found = [pid for (pid,) in connection.execute(text(WAITS))]
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return found

    wait_until(waiting, 20, "a claim that waits for a lock")
    connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({WAITS}) AS w"))


def break_second_queue(jobs: Jobs, connection: Connection) -> None:
    """Claim from two queues, each in its transaction, and kill the session in the second one."""
    connection.execute(text("SELECT 1 FROM hubbub_jobs.lane WHERE queue = 'second' FOR UPDATE"))
    errors: list[Exception] = []

    def claim() -> None:
        try:
            jobs.claim(10, ["first", "second"])
        except Unavailable as error:
            errors.append(error)

    thread = threading.Thread(target=claim)
    thread.start()
    kill_who_waits(connection)
    while thread.is_alive():  # what has begun nothing yet is tried on another connection
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM ({WAITS}) AS w"))
        thread.join(0.1)
    connection.rollback()
    assert len(errors) == 1


def test_what_was_claimed_from_a_first_queue_is_not_lost_with_the_connection(
    jobs: Jobs, connection: Connection
) -> None:
    jobs.insert("first", 1, lock="l", key="k")
    jobs.insert("first", 2, lock="l")
    jobs.insert("second", 3)
    break_second_queue(jobs, connection)
    assert jobs.in_hand == []
    (first, second) = jobs.claim(10, ["first", "second"])
    assert [(job.json(), job.attempt) for job in (first, second)] == [(1, 1), (3, 1)]
    jobs.complete([first, second])
    (last,) = jobs.claim(10)
    jobs.complete(last)
    assert (last.json(), jobs.fenced, jobs.counts()) == (2, 0, {})


def test_another_program_gets_them_after_upkeep(dsn: str, jobs: Jobs, connection: Connection) -> None:
    jobs.insert("first", 1)
    jobs.insert("second", 2)
    break_second_queue(jobs, connection)
    jobs.maintain()
    with Jobs(dsn) as other:
        assert sorted(job.json() for job in other.claim(10)) == [1, 2]
    assert jobs.fenced == 0
