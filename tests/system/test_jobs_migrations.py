"""Migrations of the schema in PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from hub.jobs import BadDatabase, Jobs
from hub.jobs.postgresql.schema import MIGRATIONS, VERSION
from tests.system.job_stores import rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


def test_a_migration_that_fails_leaves_the_old_schema(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Jobs(dsn) as old:
        handle = old.insert("q", 1)
    monkeypatch.setattr("hub.jobs.postgresql.schema.VERSION", VERSION + 1)
    broken = "CREATE TABLE hubbub_jobs.more (id integer);\nALTER TABLE hubbub_jobs.nothing ADD COLUMN x integer"
    monkeypatch.setattr("hub.jobs.postgresql.schema.MIGRATIONS", [*MIGRATIONS, broken])
    with Jobs(dsn) as new, pytest.raises(BadDatabase, match=r"hubbub_jobs\.nothing"):
        new.counts()
    monkeypatch.undo()
    with Jobs(dsn) as old:
        assert old.find(handle) is not None
        found = rows(old, "SELECT version, to_regclass('hubbub_jobs.more') FROM hubbub_jobs.version")
        assert found == [(VERSION, None)]


def test_many_programs_make_the_schema_at_once(dsn: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            with Jobs(dsn) as made:
                made.insert("q", 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Jobs(dsn) as made:
        assert made.counts()["q"].waiting == 6
