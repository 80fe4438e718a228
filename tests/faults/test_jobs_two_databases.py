"""Two hubs at two PostgreSQL servers, one of which goes away: nothing is lost, and the other one's jobs go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.jobs import Jobs, ShardedJobs
from tests.faults.job_hubs import JobHub, check_jobs
from tests.faults.job_worker import QUEUE
from tests.faults.size import sized
from tests.support import wait_until
from tests.system.postgres import Postgres, running_postgres

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(300, 1200))]

ABSENCES = sized(1, 10)
LEASE = 3.0
MORE = 50
"""Jobs that are inserted, and done, at each stage."""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    with running_postgres() as stays, running_postgres() as leaves:
        yield stays, leaves


def test_one_of_two_databases_goes_away(servers: tuple[Postgres, Postgres], tmp_path: Path) -> None:
    stays, leaves = servers
    dsns = {"stays": stays.create_database(), "leaves": leaves.create_database()}
    inserted: dict[str, list[int]] = {name: [] for name in dsns}
    with ExitStack() as stack:
        both = stack.enter_context(ShardedJobs(list(dsns.values()), lease=LEASE, rest=0.5))
        one = {name: stack.enter_context(Jobs(dsn, lease=LEASE)) for name, dsn in dsns.items()}
        hubs = [stack.enter_context(JobHub(tmp_path / name, dsns, LEASE)) for name in ("a", "b")]

        def insert() -> int:
            handles = [both.insert(QUEUE, number, max_retries=10_000) for number in range(MORE)]
            for handle in handles:
                inserted[list(dsns)[handle.id % 100]].append(handle.id // 100)
            return len({handle.id % 100 for handle in handles})

        assert insert() == 2
        for _ in range(ABSENCES):
            wait_until(lambda: all(hub.noted("begun", "leaves") for hub in hubs), 60, "hubs that work both")
            leaves.stop()
            assert insert() == 1  # the other one took them all
            wait_until(lambda: one["stays"].counts() == {}, 60, "the jobs of the one that stays")
            for hub in hubs:
                hub.logs("the jobs' database")
                assert hub.status()["hub"]["state"] == "running"
            leaves.start()
            wait_until(lambda: insert() == 2, 60, "an insert into both")
        for name in dsns:
            wait_until(lambda jobs=one[name]: jobs.counts() == {}, 120, f"all jobs of the one that {name}")  # type: ignore[misc]
        assert [hub.stop() for hub in hubs] == [0, 0]
        for name in dsns:
            check_jobs(one[name], name, inserted[name], hubs, None)
