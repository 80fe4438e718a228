"""Segments of PostgreSQL's tables while several programs tend them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from hub.jobs.postgresql import PostgreSQL, segments
from hub.jobs.postgresql.segments import SegmentLimits
from tests.system.job_stores import rows
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


@pytest.mark.parametrize("place", ["all_lanes", "_waits_in", "_stands_in"])
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
