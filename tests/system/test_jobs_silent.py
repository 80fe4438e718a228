"""A PostgreSQL that is stopped: its kernel still takes connections, and nobody answers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.errors import Unavailable
from hub.jobs import Jobs, ShardedJobs
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
LONGEST = 30.0
"""Seconds, for a busy machine; without a limit the call would never return."""


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """All processes of the server are stopped in the block."""
    first = int((postgres._directory / "data" / "postmaster.pid").read_text().split()[0])
    every = [first]
    os.kill(first, signal.SIGSTOP)  # it starts no more
    every += map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())
    try:
        for process in every[1:]:
            os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in reversed(every):
            os.kill(process, signal.SIGCONT)


@pytest.mark.parametrize("call", ["insert", "insert_many", "claim", "complete", "heartbeat", "counts", "maintain"])
def test_a_call_ends_within_its_limit_and_the_next_ones_go_on(postgres: Postgres, call: str) -> None:
    with Jobs(postgres.create_database(), timeout=1.0, lease=60.0, notify=False) as jobs:
        first = jobs.insert("q", 1)
        (job,) = jobs.claim()
        calls = {
            "insert": lambda: jobs.insert("q", 2),
            "insert_many": lambda: jobs.insert_many("q", range(100)),
            "claim": jobs.claim,
            "complete": lambda: jobs.complete(job),
            "heartbeat": jobs.heartbeat,
            "counts": jobs.counts,
            "maintain": jobs.maintain,
        }
        began = time.monotonic()
        with stopped(postgres), pytest.raises(Unavailable, match="no answer for 3 s"):
            calls[call]()
        assert time.monotonic() - began < LONGEST
        jobs.complete(job)
        jobs.insert("q", "on")
        assert [one.id for one in jobs.claim(1000)] != [first.id]


def test_a_new_connection_ends_within_its_limit(postgres: Postgres) -> None:
    dsn = postgres.create_database()
    with Jobs(dsn) as jobs:
        jobs.insert("q", 1)
    with Jobs(dsn, timeout=1.0) as jobs:
        began = time.monotonic()
        with stopped(postgres), pytest.raises(Unavailable, match="timeout"):
            jobs.counts()
        assert time.monotonic() - began < LONGEST
        assert jobs.counts()["q"].waiting == 1


def test_of_several_databases_the_others_go_on(postgres: Postgres, tmp_path: Path) -> None:
    with ShardedJobs([postgres.create_database(), f"sqlite:///{tmp_path}/jobs.db"], rest="1h", timeout=1.0) as jobs:
        jobs.insert_many("q", range(2))
        with stopped(postgres):
            for number in range(4):
                jobs.insert("q", number)
            assert jobs.away == [0]
            assert len(jobs.claim(4)) >= 4
