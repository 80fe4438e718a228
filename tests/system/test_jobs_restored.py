"""A database of PostgreSQL that is restored, or is another, under a program that knows its queues already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from hub.jobs import BadJob, Jobs
from hub.jobs.connections import url_of
from tests.system.job_stores import rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
RENUMBER = """
    DELETE FROM hubbub_jobs.lane WHERE queue = 'invoice';
    UPDATE hubbub_jobs.lane SET queue = 'spam' WHERE queue = 'mail';
    SELECT 1
"""
"""What an older dump leaves: a queue is not there, and the number of another is that of a third."""


@pytest.fixture
def jobs(postgres: Postgres) -> Iterator[Jobs]:
    with Jobs(postgres.create_database(), lease=60.0) as made:
        for queue in ("mail", "invoice"):
            made.insert(queue, 1)
        for job in made.claim(5):
            made.complete(job)
        yield made


def test_a_job_is_put_into_its_queue_after_the_database_was_restored(jobs: Jobs) -> None:
    rows(jobs, RENUMBER)
    for queue in ("mail", "invoice"):
        jobs.insert(queue, 2)
    assert {name: counts.waiting for name, counts in jobs.counts().items() if counts.waiting} == {
        "mail": 1,
        "invoice": 1,
    }


def test_a_job_goes_back_to_its_queue_after_the_database_was_restored(jobs: Jobs) -> None:
    jobs.insert("mail", 2)
    (job,) = jobs.claim()
    rows(jobs, RENUMBER)
    jobs.retry(job, "an error", delay=60.0)
    assert {name: counts.delayed for name, counts in jobs.counts().items() if counts.delayed} == {"mail": 1}


@pytest.mark.parametrize("queue", ["mail", "invoice"])
def test_a_connection_to_another_database_is_refused(jobs: Jobs, postgres: Postgres, queue: str) -> None:
    """Also where its queue of the same name has the same number."""
    with Jobs(postgres.create_database()) as other:
        other.insert("mail", "of the other")
        engine = create_engine(url_of(other._storage._database.url))  # type: ignore[attr-defined]
        with engine.connect() as connection:
            with pytest.raises(BadJob, match="another database"):
                jobs.insert(queue, 2, connection=connection)
            connection.commit()
        engine.dispose()
        assert [job.json() for job in other.claim(5)] == ["of the other"]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "READ COMMITTED"])
def test_a_callers_transaction_need_not_see_the_new_queue(jobs: Jobs, level: str) -> None:
    """Its snapshot may be older, and its settings others."""
    engine = create_engine(url_of(jobs._storage._database.url), isolation_level=level)  # type: ignore[attr-defined]
    with engine.connect() as connection:
        connection.execute(text("SET TIME ZONE 'Asia/Tokyo'"))
        connection.execute(text("SET DateStyle = 'German'"))
        jobs.insert("a new queue", 2, connection=connection)
        connection.commit()
    engine.dispose()
    assert [job.queue for job in jobs.claim(5)] == ["a new queue"]


def test_a_connection_in_another_encoding_takes_what_it_can_write(jobs: Jobs) -> None:
    engine = create_engine(url_of(jobs._storage._database.url))  # type: ignore[attr-defined]
    with engine.connect() as connection:
        connection.execute(text("SET client_encoding = 'LATIN1'"))
        jobs.insert("mail", "\u65e5", key="k", connection=connection)
        with pytest.raises(BadJob, match="client_encoding LATIN1; UTF8 is needed"):
            jobs.insert("mail", 2, key="held", tags=["\u65e5"], connection=connection)
        connection.commit()
    engine.dispose()
    assert [job.json() for job in jobs.claim(5)] == ["\u65e5"]
    assert jobs.insert("mail", 2, key="held").new
