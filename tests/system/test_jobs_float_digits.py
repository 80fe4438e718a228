"""A database of PostgreSQL that writes few digits of a number, as all did by default until version 11."""

from __future__ import annotations

import pytest

from hub.jobs import Jobs
from tests.support import wait_until
from tests.system.job_stores import let_lease_pass, rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


def test_the_jobs_of_a_dead_process_are_rescued(postgres: Postgres) -> None:
    dsn = postgres.create_database()
    name = dsn.partition("?")[0].rpartition("/")[2]
    postgres.execute(dsn.replace(postgres.scheme, "postgresql", 1), f"ALTER DATABASE {name} SET extra_float_digits = 0")
    with Jobs(dsn) as dead, Jobs(dsn) as living:
        dead.insert("q", 1)
        (job,) = dead.claim()
        let_lease_pass(dead)
        rows(
            living,
            "UPDATE hubbub_jobs.process SET seen = date_trunc('second', seen) + interval '123457 us'"
            f" WHERE id = {job.process} RETURNING 1",
        )

        def again() -> bool:
            living.maintain()
            return [found.attempt for found in living.claim()] == [2]

        wait_until(again)
