"""Whose fault an error is; the connection's and the schema's life on SQLite."""

from __future__ import annotations

import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, inspect, make_url

from hub import Message
from hub.consumers.archive.database import Database, SchemaError, of_its_content, passes
from hub.consumers.archive.row import row_of
from hub.errors import MissingExtra
from hub.postgres import LONGEST_REASON, reason_of


class DriverError(Exception):
    """As psycopg2's errors are, with the server's code; or as psycopg's are."""

    def __init__(self, code: str | None, text: str = "said the server", attribute: str = "pgcode") -> None:
        super().__init__(text)
        setattr(self, attribute, code)


def wrapped(kind: type[exc.DBAPIError], code: str | None, broken: bool = False) -> exc.DBAPIError:
    return kind("INSERT", {}, DriverError(code), connection_invalidated=broken)


def of_psycopg(error: exc.SQLAlchemyError) -> exc.SQLAlchemyError:
    """The same from the other driver."""
    if isinstance(error, exc.DBAPIError) and isinstance(error.orig, DriverError):
        error.orig = DriverError(error.orig.__dict__["pgcode"], attribute="sqlstate")
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (wrapped(exc.OperationalError, None), True),  # no connection was made
        (wrapped(exc.InterfaceError, None, broken=True), True),  # the connection broke
        (wrapped(exc.OperationalError, "57P01"), True),  # the administrator's shutdown
        (wrapped(exc.OperationalError, "40001"), True),  # serialization
        (wrapped(exc.OperationalError, "40P01"), True),  # deadlock
        (wrapped(exc.OperationalError, "53100"), True),  # the disk is full
        (wrapped(exc.InternalError, "25006"), True),  # a standby, which only reads
        (wrapped(exc.ProgrammingError, "42501"), True),  # a right is missing
        (wrapped(exc.ProgrammingError, "42P01"), True),  # the table was dropped
        (exc.TimeoutError(), True),  # all connections of the pool are taken
        (wrapped(exc.DataError, "22P05"), False),  # a character that can't be stored
        (wrapped(exc.IntegrityError, "23514"), False),  # a constraint
        (wrapped(exc.OperationalError, "54000"), False),  # an index entry is too long
        (wrapped(exc.InternalError, "P0001"), False),  # a trigger raised
        (wrapped(exc.ProgrammingError, None), False),  # the driver can't write the value
        (wrapped(exc.DataError, None), False),
        (exc.DatabaseError("INSERT", {}, sqlite3.DatabaseError("database disk image is malformed")), True),
        (exc.OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked")), True),
        (exc.IntegrityError("INSERT", {}, sqlite3.IntegrityError("NOT NULL")), False),
        (exc.ArgumentError(), False),
    ],
)
def test_only_the_rows_own_faults_are_held_against_it(error: exc.SQLAlchemyError, expected: bool) -> None:
    assert passes(error) is expected
    assert passes(of_psycopg(error)) is expected


@pytest.mark.parametrize("attribute", ["pgcode", "sqlstate"])
def test_the_content_of_a_column_is_told_from_a_constraint(attribute: str) -> None:
    def refused(code: str | None) -> exc.DBAPIError:
        return exc.DataError("INSERT", {}, DriverError(code, attribute=attribute))

    assert [of_its_content(refused(code)) for code in ("22P05", "54000", "23514", None)] == [True, True, False, False]
    assert not of_its_content(exc.ArgumentError())


def test_a_reason_is_one_bounded_printable_line() -> None:
    error = exc.DataError("INSERT", {}, DriverError("22000", "bad \x1b[31m" + "x" * 1000 + "\nDETAIL: the whole row"))
    assert reason_of(error).startswith("bad \\x1b[31mxxx")
    assert len(reason_of(error)) == LONGEST_REASON
    assert reason_of(exc.DataError("INSERT", {}, DriverError("22000", ""))) != ""


@pytest.mark.parametrize(("driver", "extra"), [("psycopg2", "postgres"), ("psycopg", "psycopg")])
def test_postgresql_without_its_driver_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, driver: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(MissingExtra, match=rf"hubbub\[{extra}\]"):
        Database(make_url(f"postgresql+{driver}:///name"), connections=1)


DRIVERS = pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])


def connected_with(monkeypatch: pytest.MonkeyPatch, driver: str, query: str = "") -> dict[str, Any]:
    """What the driver is given to connect."""
    module = pytest.importorskip(driver)
    given: dict[str, Any] = {}

    def connect(*_: object, **options: Any) -> None:
        given.update(options)
        raise module.OperationalError("away")

    monkeypatch.setattr(module, "connect", connect)
    with pytest.raises(SchemaError, match="away"):
        Database(make_url(f"postgresql+{driver}://ann@db/name{query}"), connections=1).add([row(1)])
    return given


@DRIVERS
def test_a_connection_over_a_network_that_falls_silent_is_given_up(
    monkeypatch: pytest.MonkeyPatch, driver: str
) -> None:
    given = connected_with(monkeypatch, driver)
    assert given["connect_timeout"] <= 10
    assert given["tcp_user_timeout"] <= 30_000
    assert given["keepalives_idle"] + given["keepalives_interval"] * given["keepalives_count"] <= 30


@DRIVERS
def test_what_the_url_says_of_the_connection_is_obeyed(monkeypatch: pytest.MonkeyPatch, driver: str) -> None:
    given = connected_with(monkeypatch, driver, "?connect_timeout=3&tcp_user_timeout=99")
    assert (given["connect_timeout"], given["tcp_user_timeout"]) == ("3", "99")
    assert "keepalives_idle" in given


def row(number: int) -> dict[str, Any]:
    return row_of(Message("", "a.b.c.d", b"%d" % number, received_at=1.0, backend="bus"))


def test_it_is_made_lazily_and_with_all_indexes(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/a.db"), connections=1)
    assert not (tmp_path / "a.db").exists()
    database.add([row(1)])
    found = {tuple(index["column_names"]) for index in inspect(database.engine).get_indexes("messages")}
    expected = {("timestamp",), ("msg_id",), *((name, "timestamp") for name in ("topic", "category", "agent"))}
    assert found == expected
    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    database.close()


def test_a_new_file_is_its_owners_and_one_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old.db").touch(mode=0o644)
    (tmp_path / "old.db").chmod(0o644)
    for name, mode in (("new.db", 0o600), ("old.db", 0o644)):
        database = Database(make_url(f"sqlite:///{tmp_path}/{name}"), connections=1)
        database.add([row(1)])
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(f"{name}*")} == {mode}
        database.close()


def test_a_table_that_can_not_be_made_is_no_rows_fault(tmp_path: Path) -> None:
    database = Database(make_url(f"sqlite:///{tmp_path}/missing/a.db"), connections=1)
    with pytest.raises(SchemaError, match="unable to open"):
        database.add([row(1)])
    (tmp_path / "missing").mkdir()
    database.add([row(1)])
    database.close()


def test_a_file_that_is_no_database_is_no_rows_fault(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"not a database" * 1000)
    database = Database(make_url(f"sqlite:///{tmp_path}/a.db"), connections=1)
    with pytest.raises(SchemaError, match="not a database"):
        database.add([row(1)])
    database.close()
