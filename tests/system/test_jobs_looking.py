"""Looks for lanes with something to claim, in PostgreSQL: those between two looks at all lanes miss nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from hub.jobs.postgresql import frontiers
from tests.system.job_stores import rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


@pytest.fixture
def jobs(dsn: str) -> Iterator[Jobs]:
    """A program for which no second passes: it has looked at all lanes, and does so no more."""
    with Jobs(dsn, lease=60.0, notify=False) as made:
        made.insert_jobs([made.new_job(f"q{number}", number) for number in range(30)])
        while claimed := made.claim(50):
            made.complete(claimed)
        claims: Any = made._storage._claims  # type: ignore[attr-defined]
        claims._looks._clock = lambda: 1000.0
        claims._looks._last = None
        assert made.claim(1) == []
        yield made


def last(jobs: Jobs) -> Any:
    storage: Any = jobs._storage
    return storage._claims._looks._last


def test_what_comes_into_an_empty_lane_is_found_at_once(jobs: Jobs) -> None:
    before = last(jobs)
    for number in (3, 3, 17):
        jobs.insert(f"q{number}", "on")
        assert [job.json() for job in jobs.claim(5)] == ["on"]
        assert jobs.claim(5) == []
    jobs.retry(jobs.in_hand, "no", 0)
    assert len(jobs.claim(5)) == 3
    jobs.insert("new", "on")
    assert [job.queue for job in jobs.claim(5)] == ["new"]
    assert last(jobs) is before


def test_a_late_commit_is_found(dsn: str, jobs: Jobs) -> None:
    """It began before the look, and so has a lower number than all that came after."""
    engine = create_engine(url_of(dsn))
    storage: Any = jobs._storage
    with engine.connect() as late:
        jobs.insert("q5", "late", connection=late)
        storage._claims._looks._last = None
        assert jobs.claim(1) == []
        before = last(jobs)
        jobs.insert("q6", "between")
        assert [job.json() for job in jobs.claim(5)] == ["between"]
        late.commit()
        assert [job.json() for job in jobs.claim(5)] == ["late"]
        assert last(jobs) is before
    engine.dispose()


def test_what_waited_at_the_look_and_could_not_be_claimed_is_found_later(jobs: Jobs) -> None:
    storage: Any = jobs._storage
    jobs.insert("q5", "paused")
    jobs.pause("q5")
    storage._claims._looks._last = None
    assert jobs.claim(1) == []
    before = last(jobs)
    jobs.resume("q5")
    assert [job.json() for job in jobs.claim(5)] == ["paused"]
    assert last(jobs) is before


def test_lanes_that_are_empty_are_passed_without_a_look_at_how_far_they_are_claimed(jobs: Jobs) -> None:
    found = last(jobs)
    assert found.waited == []
    jobs.insert("q7", "on")
    storage: Any = jobs._storage
    with storage._database.statement() as link:
        _, lanes = frontiers.look_at_lanes(link, None, since=found.since, waited=found.waited)
    assert [lane.queue for lane in lanes] == ["q7"]
    rows(jobs, "DELETE FROM hubbub_jobs.claim RETURNING 1")  # now all would have something, if it were looked at
    with storage._database.statement() as link:
        _, lanes = frontiers.look_at_lanes(link, None, since=found.since, waited=found.waited)
        assert [lane.queue for lane in lanes] == ["q7"]
    with storage._database.statement() as link:
        assert len(frontiers.lanes_with_more(link, None)) == 30
