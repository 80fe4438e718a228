"""Databases of jobs for the tests of faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.postgres import Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres_of_the_faults() -> Iterator[Postgres]:
    """One server for all tests that let it run."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def dsn(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Of an empty database; what is claimed of jobs is claimed on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/jobs.db"
        return
    server: Postgres = request.getfixturevalue("postgres_of_the_faults")
    yield server.create_database()
    server.drop_databases()
