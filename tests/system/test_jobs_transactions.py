"""Jobs that are inserted in the caller's own transaction, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from hub.jobs import BadJob, Jobs
from hub.jobs.connections import url_of

pytestmark = pytest.mark.system


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
