"""``hubbub archive search``: what it is told, and what it says; on SQLite."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from hub import Message
from hub.consumers.archive.command import When, archive
from hub.consumers.archive.database import Database
from hub.consumers.archive.row import row_of
from hub.consumers.archive.settings import Config
from hub.errors import ConfigError, Unavailable

CONFIGURATION = """
[backends.bus]
type = "memory"
[consumers.log]
type = "log"
[consumers.first]
type = "archive"
[consumers.second]
type = "archive"
database = "sqlite:///second.db"
"""
TOPIC = "org.example.dev.git.receive"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "hub.conf").write_text(CONFIGURATION)
    (tmp_path / "state").mkdir()
    return tmp_path


def keep(directory: Path, *bodies: bytes, topic: str = TOPIC, file: str = "archive.db") -> None:
    database = Database(Config(database=f"sqlite:///{file}").url(directory / "state"), connections=1)
    database.add([row_of(Message("", topic, body, received_at=1_700_000_000.0, backend="bus")) for body in bodies])
    database.close()


def run(directory: Path, *arguments: str, width: int = 200) -> Result:
    command = ["search", "-c", str(directory / "hub.conf"), *arguments]
    return CliRunner().invoke(archive, command, env={"COLUMNS": str(width)})


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None, result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_is_one_whole_object_a_line(directory: Path) -> None:
    keep(directory, b'{"msg_id": "i", "timestamp": 5, "msg": {"agent": "ann"}}')
    (found,) = lines(run(directory, "--json"))
    assert len(bytes.fromhex(found.pop("digest"))) == 32
    assert found == {
        "msg_id": "i",
        "topic": TOPIC,
        "category": "git",
        "agent": "ann",
        "timestamp": "1970-01-01T00:00:05+00:00",
        "received_at": "2023-11-14T22:13:20+00:00",
        "source": "bus",
        "headers": {},
        "body": {"msg_id": "i", "timestamp": 5, "msg": {"agent": "ann"}},
        "raw": None,
    }


def test_the_table_shows_who_and_what(directory: Path) -> None:
    keep(directory, b'{"msg": {"agent": "ann", "n": 1}}', b"not json")
    shown = run(directory).stdout
    assert shown.splitlines()[0].split() == ["time", "topic", "user", "body"]
    assert TOPIC in shown
    assert '{"agent":"ann","n":1}' in shown
    assert "b'not json'" in shown


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_nothing_from_the_bus_commands_the_terminal(directory: Path, arguments: tuple[str, ...]) -> None:
    evil = "\x1b[31m\x9b31m\r\n\u202e"
    body = json.dumps({"msg": {"agent": evil, "x": evil}, "msg_id": evil}, ensure_ascii=False).encode()
    keep(directory, body, evil.encode(), topic=f"a.{evil}")
    shown = run(directory, *arguments).stdout
    assert shown.replace("\n", "").isprintable()
    assert len(shown.splitlines()) == 2 + (not arguments), "a line each, and the table's heading"


@pytest.mark.parametrize("option", ["--topic", "--user", "--category", "--contains"])
def test_a_text_that_is_not_utf8_is_a_usage_error(directory: Path, option: str) -> None:
    keep(directory, b"1")
    result = run(directory, option, "a\udcff")
    assert result.exit_code == click.UsageError.exit_code
    assert f"Invalid value for '{option}'" in result.stderr


def test_an_archive_is_chosen_by_name(directory: Path) -> None:
    keep(directory, b"1", file="archive.db")
    keep(directory, b"2", file="second.db")
    assert [row["body"] for row in lines(run(directory, "--json"))] == [1]
    assert [row["body"] for row in lines(run(directory, "--json", "--consumer", "second"))] == [2]


@pytest.mark.parametrize("name", ["log", "none"])
def test_what_is_no_archive_is_an_error_that_names_those_that_are(directory: Path, name: str) -> None:
    error = run(directory, "--consumer", name).exception
    assert isinstance(error, ConfigError)
    assert f"no consumer {name!r} is an archive; there are: first, second" in str(error)


def test_a_search_makes_no_database(directory: Path) -> None:
    error = run(directory).exception
    assert isinstance(error, Unavailable)
    assert "nothing is archived yet" in str(error)
    assert list((directory / "state").iterdir()) == []


def test_a_database_that_can_not_be_read_is_unavailable(directory: Path) -> None:
    (directory / "state" / "archive.db").write_bytes(b"not a database" * 1000)
    error = run(directory).exception
    assert isinstance(error, Unavailable)
    assert "not a database" in str(error)


def test_an_unreachable_server_is_unavailable(directory: Path) -> None:
    setting = f'consumers.first.database="postgresql:///none?host={directory}"'
    error = run(directory, "-s", setting).exception
    assert isinstance(error, Unavailable)
    assert "the archive can't be read: " in str(error)


def test_a_time_is_one_ago_or_a_date() -> None:
    now = datetime.now(tz=UTC)
    ago = When().convert("2h", None, None)
    assert timedelta(0) <= ago - (now - timedelta(hours=2)) < timedelta(minutes=1)
    assert When().convert("2026-11-21T14:00Z", None, None) == datetime(2026, 11, 21, 14, tzinfo=UTC)
    assert When().convert("2026-11-21", None, None) == datetime(2026, 11, 21).astimezone(UTC)


@pytest.mark.parametrize("value", ["soon", "", "99999999999w", "0001-01-01T00:00+23:00"])
def test_what_is_no_time_is_a_usage_error(value: str) -> None:
    with pytest.raises(click.BadParameter, match="expected a time ago"):
        When().convert(value, None, None)
