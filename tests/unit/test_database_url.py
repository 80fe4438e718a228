"""The URL of a database in ``hub.conf``."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.database_url import complete, contradictions, driver_of
from hub.settings import SecretRef, Settings


@pytest.mark.parametrize(
    ("text", "driver", "whole"),
    [
        ("sqlite:///a.db", "pysqlite", "sqlite:////state/a.db"),
        ("sqlite:////srv/a.db", "pysqlite", "sqlite:////srv/a.db"),
        ("postgresql://hub@db/app", "psycopg2", "postgresql+psycopg2://hub@db/app"),
        ("postgresql+psycopg2://hub@db/app", "psycopg2", "postgresql+psycopg2://hub@db/app"),
        ("postgresql+psycopg://hub@db/app", "psycopg", "postgresql+psycopg://hub@db/app"),
    ],
)
def test_one_that_can_be_used(text: str, driver: str, whole: str) -> None:
    assert list(contradictions(text, "a.db", mode=False)) == []
    assert driver_of(text) == driver
    assert complete(text, Path("/state"), None).render_as_string(hide_password=False) == whole


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "expected a URL such as sqlite:///a.db or postgresql:///name"),
        ("mysql://db/app", "expected sqlite or postgresql, not mysql"),
        ("postgresql+asyncpg://db/app", "expected postgresql://..., not postgresql+asyncpg"),
        ("sqlite://", "expected a file, as in sqlite:///a.db, not a database in memory"),
        ("sqlite:///:memory:", "expected a file, as in sqlite:///a.db, not a database in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "expected a file, as in sqlite:///a.db, not a database in memory"),
        ("postgresql://db/app?password=x", "the URL must not contain the password: set password = 'file:/path'"),
    ],
)
def test_one_that_can_not_be_used_is_told(text: str, problem: str) -> None:
    assert list(contradictions(text, "a.db", mode=False)) == [f"database: {problem}"]


def test_the_mode_of_sqlite_may_be_chosen_where_it_does_no_harm() -> None:
    assert list(contradictions("sqlite:///file:x?mode=rwc&uri=true", "a.db", mode=True)) == []


def test_the_password_is_read_when_it_is_needed(tmp_path: Path) -> None:
    class Section(Settings):
        password: SecretRef

    (tmp_path / "secret").write_text("s3cret\n")
    section = Section.model_validate({"password": f"file:{tmp_path}/secret"})
    made = complete("postgresql://hub@db/app", Path("/state"), section.password)
    assert made.password == "s3cret"
