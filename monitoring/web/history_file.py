"""History file: a SQLite database in the state directory. It blocks, so it is used in a thread of its own."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from hub.monitoring.web.history import FIELDS, TABLES, TIERS
from hub.statefiles import open_file

VERSION = 2
"""Version of the tables, in SQLite's ``user_version``."""
IMPORT_QUEUES = """
    INSERT INTO queues (name, seen)
        SELECT key, max(step * bucket) FROM buckets, json_each(buckets.queues) WHERE true GROUP BY key
"""
IMPORT_BUCKETS = f"""
    INSERT OR REPLACE INTO history SELECT step, bucket % :length, known.id, bucket, {FIELDS}
        FROM buckets, json_each(buckets.queues) JOIN queues AS known ON known.name = key
        WHERE step = :step ORDER BY bucket
"""  # noqa: S608
"""Import from version 1, in which a row was a bucket of all queues, as JSON."""
TIMEOUT = 5.0
"""Seconds to wait for another process's lock on the file."""
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)
"""SQLite's codes of a damaged file: it is no database, is torn, or has other tables. Other codes are disk errors."""
USABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
"""SQLite's codes after which the file can still be read."""
Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]


class Damaged(OSError):
    """Damage of the file: it is not as the hub wrote it."""


class HistoryFile:
    """History file, which is opened at the first use, and again after most failures."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def transact(self, work: Work[Result]) -> Result:
        """Run ``work`` in one transaction, and return its result.

        :raises Damaged: the file is damaged. :raises OSError: it can't be opened, read or written.
        """
        try:
            if self._connection is None:
                self._connection = self._opened()
            return transact(self._connection, work)
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code not in USABLE:
                self.close()
            raise (Damaged if code in DAMAGE else OSError)(f"{self._path}: {error}") from error
        except (sqlite3.Error, msgspec.ValidationError, Damaged) as error:
            self.close()
            raise Damaged(str(error)) from error

    def set_aside(self) -> Path:
        """Rename the damaged file, replacing an earlier one. :returns: the new path. :raises OSError: it failed."""
        self.close()
        aside = self._path.with_name(self._path.name + ".damaged")
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return aside

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        # Private, as all files of the hub; SQLite gives its other files the same permissions.
        os.close(open_file(self._path, os.O_RDWR | os.O_CREAT))
        connection = connect(self._path)
        try:
            # A power cut may lose a few seconds of the history, which is acceptable; the file stays consistent.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise Damaged(state)
            transact(connection, make_tables)
            # A transaction's pages stay in memory until its end, so they can be read even if the disk is full.
            connection.execute("PRAGMA cache_spill = OFF")
        except BaseException:
            connection.close()
            raise
        return connection


def connect(path: Path | str) -> sqlite3.Connection:
    """Open a database whose transactions are begun and ended by :func:`transact`."""
    connection = sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None)
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def transact(connection: sqlite3.Connection, work: Work[Result]) -> Result:
    """Run ``work`` in one transaction."""
    connection.execute("BEGIN")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def make_tables(connection: sqlite3.Connection) -> None:
    """Create missing tables, and import those of the previous version. :raises Damaged: they are of another version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, 1, VERSION):
        raise Damaged(f"its tables are of version {version}, not {VERSION}")
    for table in TABLES:
        connection.execute(table)
    if version == 1:
        connection.execute(IMPORT_QUEUES)
        connection.executemany(IMPORT_BUCKETS, [{"step": tier.step, "length": tier.length} for tier in TIERS])
        connection.execute("DROP TABLE buckets")
    connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def in_memory() -> Iterator[sqlite3.Connection]:
    """History in memory, without a file."""
    with closing(connect(":memory:")) as connection:
        make_tables(connection)
        yield connection
