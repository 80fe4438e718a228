"""The DSN of a database of jobs."""

from __future__ import annotations

import pytest

from hub.jobs import BadDatabase, Jobs
from hub.jobs.connections import url_of


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_may_be_called_as_libpq_calls_it(scheme: str) -> None:
    url = url_of(f"{scheme}://hub@db/app")
    assert (url.get_backend_name(), url.get_driver_name() in ("psycopg2", "psycopg")) == ("postgresql", True)
    assert (url.host, url.username, url.database) == ("db", "hub", "app")


@pytest.mark.parametrize(
    ("dsn", "problem"),
    [
        ("", "this is no DSN such as"),
        ("jobs.db", "this is no DSN such as"),
        ("sqlite:////tmp/a\0b", "this is no DSN such as .* NUL"),
        ("postgresql://hub@db/a\0b", "this is no DSN such as .* NUL"),
        ("mysql://db/app", "PostgreSQL or SQLite, not in mysql"),
        ("postgresql+asyncpg://db/app", "psycopg2 or psycopg, not asyncpg"),
    ],
)
def test_one_that_can_not_be_used_is_told(dsn: str, problem: str) -> None:
    with pytest.raises(BadDatabase, match=problem):
        url_of(dsn)


def test_nothing_is_no_dsn() -> None:
    with pytest.raises(BadDatabase, match="not None"):
        Jobs(None)  # type: ignore[arg-type]
