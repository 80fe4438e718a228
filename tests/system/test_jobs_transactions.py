"""Jobs that are inserted in the caller's own transaction, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.errors import Unavailable
from hub.jobs import BadDatabase, BadJob, Jobs
from hub.jobs.connections import url_of

pytestmark = pytest.mark.system
BREAK = {
    "sqlite": "PRAGMA query_only = 1",
    "postgresql": "SET LOCAL statement_timeout = 1; SET LOCAL transaction_read_only = on",
}
"""Statements after which no other statement may write."""


@pytest.mark.parametrize("kind", ["driver", "connection", "session"])
def test_the_callers_transaction_decides(jobs: Jobs, dsn: str, kind: str) -> None:
    engine = create_engine(url_of(dsn))
    with ExitStack() as stack:
        connection: Any = stack.enter_context(Session(engine) if kind == "session" else engine.connect())
        if kind == "driver":
            connection = connection.connection.driver_connection
        jobs.insert("q", "lost", connection=connection, key="k")
        jobs.insert_many("q", range(20), connection=connection)
        connection.rollback()
        assert jobs.claim(10) == []
        jobs.insert_many("q", range(20), connection=connection)
        jobs.insert("q", "kept", connection=connection, key="k")
        connection.commit()
        assert len(jobs.claim(50)) == 21
    engine.dispose()


def test_a_connection_in_autocommit_mode_is_refused(jobs: Jobs, dsn: str) -> None:
    engine = create_engine(url_of(dsn), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        with pytest.raises(BadJob, match="autocommit"):
            jobs.insert("q", 1, connection=connection)
        with pytest.raises(BadJob, match="autocommit"):
            jobs.insert("q", 1, connection=connection.connection.driver_connection)
    engine.dispose()
    with pytest.raises(BadJob, match="no connection to"):
        jobs.insert("q", 1, connection=object())


def test_a_program_that_writes_already_inserts_its_first_job(jobs: Jobs, dsn: str, make: Callable[..., Jobs]) -> None:
    """In SQLite its connection is the only one that may write."""
    jobs.counts()
    fresh = make()
    engine = create_engine(url_of(dsn))
    with engine.connect() as connection:
        jobs.insert("q", 1, connection=connection)
        fresh.insert("q", 2, connection=connection)
        connection.commit()
    engine.dispose()
    assert [job.json() for job in jobs.claim(5)] == [1, 2]


def test_a_look_waits_for_nobodys_transaction(jobs: Jobs, dsn: str) -> None:
    handle = jobs.insert("q", 1, tags=["a"])
    dead = jobs.insert("r", 2)
    jobs.retry(jobs.claim(1, ["r"]), "an error")
    jobs.set_limits("q", per_lock=2)
    engine = create_engine(url_of(dsn))
    with engine.connect() as connection:
        jobs.insert("q", "not committed", connection=connection)
        began = time.monotonic()
        assert jobs.counts()["q"].waiting == len(jobs.peek("q")) == len(jobs.peek("q", tags=["a"])) == 1
        assert jobs.find(handle) is not None
        assert jobs.read(handle) is not None
        assert len(jobs.errors(dead)) == len(jobs.recent_errors()) == 1
        assert (jobs.queue_names(), set(jobs.limits())) == (["q", "r"], {"q"})
        assert time.monotonic() - began < 9, "SQLite gives a writer up after ten seconds"
    engine.dispose()


@pytest.mark.parametrize("kind", ["driver", "connection", "session"])
def test_an_error_in_the_callers_transaction_is_that_of_any_call(jobs: Jobs, dsn: str, kind: str) -> None:
    jobs.insert("q", 1)
    engine = create_engine(url_of(dsn))
    with ExitStack() as stack:
        connection: Any = stack.enter_context(Session(engine) if kind == "session" else engine.connect())
        raw = connection.connection().connection if kind == "session" else connection.connection
        raw.driver_connection.cursor().execute(BREAK[engine.dialect.name])
        given = raw.driver_connection if kind == "driver" else connection
        with pytest.raises((BadDatabase, Unavailable), match=r"the jobs' database: |jobs\.db: ") as caught:
            jobs.insert_many("q", range(20), connection=given)
        assert caught.value.__cause__ is not None
        connection.rollback()
    engine.dispose()
    assert jobs.counts()["q"].waiting == 1


def test_a_connection_that_is_closed_is_told_as_any_error(jobs: Jobs, dsn: str) -> None:
    engine = create_engine(url_of(dsn))
    arguments, named = engine.dialect.create_connect_args(engine.url)
    given: Any = engine.dialect.connect(*arguments, **named)
    given.close()
    with pytest.raises((BadDatabase, BadJob, Unavailable), match="closed"):
        jobs.insert("q", 1, connection=given)
    session = Session(engine)
    session.close()
    jobs.insert("q", 1, connection=session)  # SQLAlchemy begins anew
    session.commit()
    connection = engine.connect()
    connection.close()
    with pytest.raises(BadJob, match="closed"):
        jobs.insert("q", 1, connection=connection)
    session.close()
    engine.dispose()
    assert jobs.counts()["q"].waiting == 1


def fail_with_a_job(jobs: Jobs, connection: Connection) -> None:
    connection.execute(text("CREATE TABLE of_the_caller (id integer PRIMARY KEY)"))
    jobs.insert("q", 1, connection=connection)
    connection.execute(text("INSERT INTO of_the_caller VALUES (1), (1)"))


def test_an_error_of_what_the_caller_does_himself_stays_what_it_is(jobs: Jobs, dsn: str) -> None:
    jobs.counts()
    engine = create_engine(url_of(dsn))
    with engine.connect() as connection:
        with pytest.raises(IntegrityError):
            fail_with_a_job(jobs, connection)
        connection.rollback()
    engine.dispose()
    assert jobs.counts() == {}
