"""The archive's settings: which URLs it takes, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.consumers.archive.settings import Config
from hub.errors import ConfigError

STATE = Path("/var/lib/hubbub")


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("sqlite:///archive.db", "sqlite:////var/lib/hubbub/archive.db"),
        ("sqlite:////srv/archive.db", "sqlite:////srv/archive.db"),
        ("postgresql:///name?host=/run", "postgresql+psycopg2:///name?host=%2Frun"),
        ("postgresql+psycopg2://ann@db/name", "postgresql+psycopg2://ann@db/name"),
        ("postgresql+psycopg://ann@db/name", "postgresql+psycopg://ann@db/name"),
    ],
)
def test_a_url_is_made_whole(database: str, expected: str) -> None:
    assert Config(database=database).url(STATE).render_as_string() == expected


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("nonsense", "expected a URL"),
        ("postgresql://host:port/name", "expected a URL"),
        ("mysql:///name", "not mysql"),
        ("postgresql+asyncpg:///name", "not postgresql.asyncpg"),
        ("sqlite://", "not a database in memory"),
        ("sqlite:///:memory:", "not a database in memory"),
        ("postgresql:///name?password=hunter2", "must not contain the password"),
    ],
)
def test_a_url_that_can_not_serve_is_refused(database: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        Config(database=database)
    assert "hunter2" not in str(caught.value.errors()[0]["msg"])


def test_the_password_comes_from_its_file_and_is_hidden_in_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2:@/\n")
    config = Config.model_validate({"database": "postgresql://ann@db/name", "password": f"file:{tmp_path}/secret"})
    url = config.url(STATE)
    assert url.password == "hunter2:@/"
    assert "hunter2" not in f"{url} {url!r} {config!r} {config.model_dump()}"


def test_a_password_that_can_not_be_read_is_a_configuration_error(tmp_path: Path) -> None:
    config = Config.model_validate({"database": "postgresql://ann@db/name", "password": f"file:{tmp_path}/none"})
    with pytest.raises(ConfigError, match="can't be read"):
        config.url(STATE)
