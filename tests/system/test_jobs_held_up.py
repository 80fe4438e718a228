"""Insertions that wait for a key which somebody's idle transaction holds, in PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text

from hub.jobs import Jobs
from hub.jobs.connections import POOL, url_of
from hub.jobs.postgresql.database import HELD_UP
from tests.support import wait_until
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def test_they_leave_a_connection_to_the_heartbeat(postgres: Postgres) -> None:
    dsn = postgres.create_database()
    engine = create_engine(url_of(dsn))
    with Jobs(dsn) as jobs, engine.connect() as idle, engine.connect() as looking:
        jobs.insert("q", "first")
        (job,) = jobs.claim()
        jobs.insert("q", "held", key="k", connection=idle)
        threads = [
            threading.Thread(target=jobs.insert, args=("q", "waits"), kwargs={"key": "k"}) for _ in range(2 * POOL)
        ]
        for thread in threads:
            thread.start()

        def held_up() -> bool:
            looking.rollback()
            return bool(looking.execute(text(WAITING)).scalar_one() >= HELD_UP)

        wait_until(held_up)
        for _ in range(20):
            jobs.heartbeat()
        jobs.maintain()
        assert held_up()
        idle.rollback()
        for thread in threads:
            thread.join()
        jobs.complete(job)
        assert [found.json() for found in jobs.claim(5)] == ["waits"]
    engine.dispose()
