"""The layout in PostgreSQL: late commits, held snapshots, segments, faults, PgBouncer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from hub.errors import Unavailable
from hub.jobs import BadDatabase, Jobs, JobState
from hub.jobs.connections import url_of
from hub.jobs.postgresql import PostgreSQL, operations, restored
from hub.jobs.postgresql.frontiers import Frontier, frontier
from hub.jobs.postgresql.segments import SegmentLimits
from hub.jobs.storage import KeepTimes
from tests.support import wait_until
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


@pytest.fixture
def engine(dsn: str) -> Iterator[Engine]:
    made = create_engine(url_of(dsn))
    yield made
    made.dispose()


def small_segments(jobs: Jobs, limit: int = 10) -> PostgreSQL:
    """A second way into the same database, with segments that are full at once, and given up at once."""
    storage: Any = jobs._storage
    made = PostgreSQL(storage._database._engine.url, SegmentLimits(jobs=limit, grace=0.0))
    made.open()
    return made


def tables(jobs: Jobs) -> set[str]:
    found = rows(jobs, "SELECT tablename FROM pg_tables WHERE schemaname = 'hubbub_jobs'")
    return {name for (name,) in found if name[-1].isdigit()}


def test_a_late_commit_is_not_skipped(jobs: Jobs, engine: Engine) -> None:
    """It drew its numbers first, and commits after the jobs of others were claimed."""
    jobs.insert("q", "before")
    with engine.connect() as late, engine.connect() as later:
        jobs.insert_many("q", ["late"] * 20, connection=late)
        jobs.insert("q", "between")
        jobs.insert("q", "later", connection=later)
        jobs.insert("q", "after")
        assert [job.json() for _ in range(5) for job in jobs.claim(1)] == ["before", "between", "after"]
        late.commit()
        assert [job.json() for _ in range(5) for job in jobs.claim(5)] == ["late"] * 20
        jobs.insert("q", "last")
        later.commit()
        assert sorted(job.json() for _ in range(5) for job in jobs.claim(1)) == ["last", "later"]
    assert jobs.claim(5) == []
    assert jobs.counts()["q"].running == 25


def test_many_cancellations_of_others_hide_none_of_ones_own(jobs: Jobs, engine: Engine) -> None:
    """Those of waiting jobs stay until they are met, or pruned."""
    job, _ = jobs.insert_many("q", [1, 2])
    assert len(jobs.claim(2)) == 2
    jobs.cancel(job)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO hubbub_jobs.cancelled SELECT 1000000 + n, now() + interval '1s'"
            " FROM generate_series(1, 10000) AS n"
        )
    assert [one.id for one in jobs.heartbeat()] == [job.id]


def test_a_transaction_that_stays_open_holds_up_nobody_elses_jobs(jobs: Jobs, engine: Engine) -> None:
    with engine.connect() as idle:
        jobs.insert("q", "idle", connection=idle)
        for number in range(30):
            jobs.insert("q", number)
            assert [job.json() for job in jobs.claim(5)] == [number]


def test_many_writers_and_claimers_at_random_lose_nothing_and_repeat_nothing(dsn: str) -> None:
    """Writers hold their transactions for a while, some roll back; claimers meet on one lane."""
    jobs = Jobs(dsn, lease=60.0)
    engine = create_engine(url_of(dsn), pool_size=6)
    kept: list[int] = []
    taken: list[int] = []
    lock, ended = threading.Lock(), threading.Event()

    def write(number: int) -> None:
        for turn in range(12):
            with engine.connect() as connection:
                handles = jobs.insert_many("q", range(1 + turn * number % 9), connection=connection)
                ended.wait(0.003 * ((turn * 7 + number * 3) % 5))
                if (turn + number) % 4 == 0:
                    connection.rollback()
                    continue
                connection.commit()
                with lock:
                    kept.extend(handle.id for handle in handles)

    def work() -> None:
        with Jobs(dsn, lease=60.0) as mine:
            while not ended.is_set() or mine.counts().get("q"):
                claimed = mine.claim(3)
                mine.complete(claimed)
                with lock:
                    taken.extend(job.id for job in claimed)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(1, 6)]
    workers = [threading.Thread(target=work) for _ in range(2)]
    for thread in (*writers, *workers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in workers:
        thread.join()
    assert sorted(taken) == sorted(kept)
    jobs.close()
    engine.dispose()


def test_a_job_that_is_claimed_while_it_is_counted_is_counted(
    jobs: Jobs, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counts are of one state: a program that waits for the end of all work must not see it too early."""
    jobs.insert("q", 1)
    with Jobs(dsn) as other:

        def claimed_before(link: Any, lane: int) -> Frontier:
            assert len(other.claim(1)) == 1
            return frontier(link, lane)

        monkeypatch.setattr(operations, "frontier", claimed_before)
        assert jobs.counts()["q"].waiting == 1
        monkeypatch.undo()
        assert jobs.counts()["q"].running == 1


def test_work_of_others_is_not_taken_for_a_restored_dump(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert("q", 1)

    def busy(link: Any, lane: int) -> Frontier:
        jobs.insert("q", 2)
        assert jobs.claim(5)
        return frontier(link, lane)

    monkeypatch.setattr(restored, "frontier", busy)
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        assert not restored.from_the_future(link)


def test_a_held_snapshot_leaves_no_dead_rows_in_what_claims_read(jobs: Jobs, engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as report:
        report.exec_driver_sql("SELECT count(*) FROM pg_class")
        for _ in range(20):
            jobs.insert_many("q", range(50))
            while claimed := jobs.claim(10):
                jobs.complete(claimed)
        dead = rows(
            jobs,
            "SELECT sum(pg_stat_get_tuples_updated(oid) + pg_stat_get_tuples_deleted(oid))"
            " FROM pg_class WHERE relnamespace = 'hubbub_jobs'::regnamespace AND relname ~ '^(job|claim|outcome)_'",
        )
        assert dead == [(0,)]
        small = small_segments(jobs)
        small.upkeep()
        small.upkeep()
        assert tables(jobs) == {"job_2", "claim_2", "outcome_1", "outcome_2"}
        small.close()


def test_a_segment_is_dropped_when_its_jobs_are_done(jobs: Jobs) -> None:
    small = small_segments(jobs)
    handles = jobs.insert_many("q", range(20))
    claimed = [*jobs.claim(10), *jobs.claim(10)]
    jobs.complete(claimed[10:])
    small.upkeep()
    jobs.insert("q", "more")
    jobs.complete(claimed[1:10])
    small.upkeep()
    assert tables(jobs) == {"job_2", "claim_2", "outcome_1", "outcome_2"}
    assert jobs.counts()["q"].running == 1
    jobs.complete(claimed[0], status=5)
    small.upkeep()
    assert tables(jobs) == {"job_2", "claim_2", "outcome_1", "outcome_2"}
    status = jobs.find(handles[0])
    assert status is not None
    assert (status.state, status.status) == (JobState.FINISHED, 5)
    assert [job.json() for job in jobs.claim(5)] == ["more"]
    small.prune(KeepTimes(finished=0.0), 100)
    assert tables(jobs) == {"job_2", "claim_2", "outcome_2"}
    assert jobs.find(handles[15]) is None
    small.close()


def test_a_few_waiting_jobs_do_not_keep_an_old_segment(jobs: Jobs, engine: Engine) -> None:
    """They are carried, in their order; what was not committed then is found, too."""
    small = small_segments(jobs)
    jobs.insert_many("slow", range(15))
    jobs.insert_many("quick", range(30))
    jobs.complete(jobs.claim(30, ["quick"]))
    jobs.pause("slow")
    cancelled = jobs.peek("slow")[3]
    jobs.cancel(cancelled.id)
    small.upkeep()
    with engine.connect() as late:
        jobs.insert("slow", "late", connection=late)
        small.upkeep()
        assert "job_1" not in tables(jobs)
        late.commit()
    assert jobs.counts()["slow"].waiting == 15
    jobs.resume("slow")
    found = [job.json() for _ in range(4) for job in jobs.claim(10)]
    assert sorted(found, key=str) == [0, 1, 10, 11, 12, 13, 14, 2, 4, 5, 6, 7, 8, 9, "late"]
    assert [number for number in found if number != "late"] == [number for number in range(15) if number != 3]
    assert jobs.find(cancelled.id).state is JobState.CANCELLED  # type: ignore[union-attr]
    small.close()


def test_a_table_that_somebody_has_is_left_for_the_next_time(jobs: Jobs, engine: Engine) -> None:
    small = small_segments(jobs)
    jobs.insert_many("q", range(20))
    jobs.complete(jobs.claim(20))
    with engine.connect() as backup:
        backup.exec_driver_sql("LOCK TABLE hubbub_jobs.job_1 IN ACCESS SHARE MODE")
        began = time.monotonic()
        small.upkeep()
        assert time.monotonic() - began < 20
        assert "job_1" in tables(jobs)
    small.upkeep()
    assert "job_1" not in tables(jobs)
    small.close()


def test_a_claim_does_not_wait_for_a_transaction_that_replaces_a_job(jobs: Jobs, engine: Engine) -> None:
    first = jobs.insert("q", "old", key="k")
    jobs.insert("q", "plain")
    with engine.connect() as late:
        jobs.insert("q", "new", key="k", conflict="replace", connection=late)
        assert [job.json() for job in jobs.claim(5)] == ["plain"]
        late.rollback()
    found: list[Any] = []

    def take() -> list[Any]:
        jobs.maintain()
        found.extend(jobs.claim(5))
        return found

    wait_until(take)
    assert [(job.id, job.json()) for job in found] == [(first.id, "old")]


def test_a_dump_that_is_restored_where_numbers_are_lower_is_stamped_anew(jobs: Jobs, dsn: str) -> None:
    jobs.insert_many("q", range(5))
    claimed = jobs.claim(2)
    jobs.complete(claimed[0])
    jobs.insert("q", "more")
    storage: Any = jobs._storage
    with storage._database.begin() as link:  # as if this server had come to lower numbers than the former
        link.run("UPDATE hubbub_jobs.job SET xid = ((xid::text)::bigint + 1000000)::text::xid8")
        link.run(
            "UPDATE hubbub_jobs.claim SET at_xid = ((at_xid::text)::bigint + 1000000)::text::xid8, snap ="
            " format('%%s:%%s:', (pg_snapshot_xmin(snap)::text)::bigint + 1000000,"
            " (pg_snapshot_xmax(snap)::text)::bigint + 1000000)::pg_snapshot, prev = '1:1:'"
        )
    with Jobs(dsn, lease=60.0) as restored:
        assert restored.counts()["q"].waiting == 5
        found = [job.json() for _ in range(3) for job in restored.claim(10)]
        assert found == [1, 2, 3, 4, "more"]
        restored.insert("q", "new")
        assert [job.json() for job in restored.claim(10)] == ["new"]


def test_killed_sessions_cost_no_call(jobs: Jobs, postgres: Postgres, dsn: str) -> None:
    """A connection that was broken while it was idle is replaced."""
    jobs.insert_many("q", range(10))
    claimed = jobs.claim(5)
    postgres.kill_sessions(dsn.replace("+psycopg", ""))
    jobs.complete(claimed)
    postgres.kill_sessions(dsn.replace("+psycopg", ""))
    assert len(jobs.claim(10)) == 5


def test_a_table_that_is_missing_is_told_also_by_copy(jobs: Jobs) -> None:
    jobs.counts()
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        link.run("DROP TABLE hubbub_jobs.job_1")
    for many in (1, 20):
        with pytest.raises(BadDatabase, match="job_1"):
            jobs.insert_many("q", range(many))


def test_a_database_that_is_away_is_told_and_come_back_to(dsn: str, tmp_path: Path, jobs: Jobs) -> None:
    away = Jobs(f"postgresql+psycopg2://hubbub@/nothing?host={tmp_path}")
    with pytest.raises(Unavailable, match="the jobs' database"):
        away.insert("q", 1)
    missing = Jobs(dsn.rsplit("/test", 1)[0] + "/nothing?" + dsn.rsplit("?", 1)[1])
    with pytest.raises((Unavailable, BadDatabase), match="nothing"):
        missing.insert("q", 1)


def test_a_statement_that_a_driver_refuses_itself_does_not_break_its_connection(jobs: Jobs) -> None:
    jobs.counts()
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        session = link.rows("SELECT pg_backend_pid()")
        with pytest.raises(link._engine.dialect.loaded_dbapi.ProgrammingError):
            link.rows(" ")
    assert rows(jobs, "SELECT pg_backend_pid()") == session
