"""Jobs in PostgreSQL that were claimed before their turn: segments, restored dumps, older schemas, the index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.jobs import Jobs
from hub.jobs.postgresql import PostgreSQL
from hub.jobs.postgresql.schema import MIGRATIONS
from hub.jobs.postgresql.segments import SegmentLimits
from hub.jobs.storage import KeepTimes
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


def move_to_the_future(jobs: Jobs) -> None:
    """As if this server had come to lower numbers than the former."""
    storage: Any = jobs._storage
    later = (
        "format('%%s:%%s:', (pg_snapshot_xmin({0})::text)::bigint + {1}, (pg_snapshot_xmax({0})::text)::bigint + {1})"
    )
    with storage._database.begin() as link:
        for table in ("job", "taken"):
            link.run(f"UPDATE hubbub_jobs.{table} SET xid = ((xid::text)::bigint + 1000000)::text::xid8")
        link.run(
            "UPDATE hubbub_jobs.claim SET at_xid = ((at_xid::text)::bigint + 1000000)::text::xid8,"
            f" snap = {later.format('snap', 1000000)}::pg_snapshot,"
            f" prev = CASE WHEN pg_snapshot_xmax(prev)::text = '1' THEN prev"
            f" ELSE {later.format('prev', 1000000)}::pg_snapshot END"
        )


def test_they_are_not_carried_to_another_segment(jobs: Jobs) -> None:
    jobs.insert_many("q", range(6))
    jobs.insert_many("q", ["c0", "c1"], coalesce="c")
    jobs.insert_many("done", range(20))
    jobs.complete(jobs.claim(20, ["done"]))
    assert [job.json() for job in jobs.claim(1, ["q"], coalesce="c")] == ["c0"]
    storage: Any = jobs._storage
    small = PostgreSQL(storage._database._engine.url, SegmentLimits(jobs=5, grace=0.0))
    small.open()
    for _ in range(3):
        small.upkeep()
    jobs.complete(jobs.in_hand)
    small.upkeep()
    assert rows(jobs, "SELECT to_regclass('hubbub_jobs.job_1')") == [(None,)]
    assert [job.json() for job in jobs.claim(1, ["q"], coalesce="c")] == ["c1"]
    assert [job.json() for job in jobs.claim(20)] == list(range(6))
    small.prune(KeepTimes(finished=0.0), 100)
    assert rows(jobs, "SELECT * FROM hubbub_jobs.taken") == []
    small.close()


def test_the_cursor_passes_them_and_forgets_them(jobs: Jobs) -> None:
    jobs.insert_many("q", range(20), coalesce="c")
    for _ in range(3):
        jobs.retry(jobs.claim(5, coalesce="c"), "failed", 0.0)
    jobs.complete(jobs.claim(5, coalesce="c"))
    assert len(rows(jobs, "SELECT * FROM hubbub_jobs.taken")) == 20
    jobs.complete([job for _ in range(9) for job in jobs.claim(5)])
    assert rows(jobs, "SELECT * FROM hubbub_jobs.taken") == []
    assert jobs.counts() == {}


def test_they_are_not_stamped_anew_in_a_restored_database(jobs: Jobs, dsn: str) -> None:
    jobs.insert_many("q", range(3), coalesce="c")
    jobs.complete(jobs.claim(1, coalesce="c"))
    move_to_the_future(jobs)
    with Jobs(dsn, lease=60.0) as restored:
        assert [job.json() for job in restored.claim(9)] == [1, 2]
        assert rows(restored, "SELECT * FROM hubbub_jobs.taken") == []


def test_those_that_wait_for_their_lock_wait_on_in_a_restored_database(jobs: Jobs, dsn: str) -> None:
    jobs.insert_many("q", range(4), lock="a")
    jobs.complete(jobs.claim(9))
    assert [job.json() for job in jobs.claim(9)] == [1]
    move_to_the_future(jobs)
    with Jobs(dsn, lease=60.0) as restored:
        assert restored.counts()["q"].waiting == 3
        found = []
        while claimed := restored.claim(9):
            found += [job.json() for job in claimed]
            restored.complete(claimed)
        assert found == [1, 2, 3]
        assert rows(restored, "SELECT * FROM hubbub_jobs.parked") == []
        assert rows(restored, "SELECT * FROM hubbub_jobs.lock_holder") == []


def test_jobs_of_the_first_schema_are_kept(dsn: str) -> None:
    storage: Any = Jobs(dsn)._storage
    with storage._database.begin() as link:
        link.run("CREATE SCHEMA hubbub_jobs")
        link.run("CREATE TABLE hubbub_jobs.version (one boolean PRIMARY KEY, version integer NOT NULL)")
        for statement in [*MIGRATIONS[0].split(";\n"), "INSERT INTO hubbub_jobs.version VALUES (true, 1)"]:
            if statement.strip():
                link.run(statement)
        for parent in ("job", "claim", "outcome"):
            link.run(f"CREATE TABLE hubbub_jobs.{parent}_1 () INHERITS (hubbub_jobs.{parent})")
        link.run("INSERT INTO hubbub_jobs.segment (number, first_job) VALUES (1, 1)")
        link.rows("SELECT setval('hubbub_jobs.segment_number', 1), nextval('hubbub_jobs.job_id')")
        link.run("INSERT INTO hubbub_jobs.lane (queue, priority) VALUES ('q', 4)")
        link.run("INSERT INTO hubbub_jobs.job_1 VALUES (1, DEFAULT, DEFAULT, 1, 1, 3, NULL, NULL, 'x')")
    storage.close()
    with Jobs(dsn) as jobs:
        jobs.insert("q", "y", coalesce="c")
        assert [job.json() for job in jobs.claim(1, coalesce="c")] == ["y"]
        assert [job.body for job in jobs.claim(9)] == [b"x"]
        found = rows(jobs, "SELECT indexdef FROM pg_indexes WHERE tablename = 'job_1'")
        assert any('(lane, "coalesce", xid, id)' in index for (index,) in found)
