"""The history on the disk, so that it outlasts the hub: a small SQLite database. Blocking; it has a thread of its own.

A row holds one bucket of all queues, as JSON: so the number of rows is bounded, whatever the number of queues. Nothing
else is kept here: a file that can't be used is set aside, and a new one begun.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from hub.monitoring.web.history import Row
from hub.monitoring.web.ring import TIERS
from hub.monitoring.web.spikes import MOST, Spike
from hub.statefiles import open_file

VERSION = 1
"""Of the tables, in SQLite's ``user_version``."""
TABLES = """
    CREATE TABLE IF NOT EXISTS buckets (step INTEGER, bucket INTEGER, queues TEXT, PRIMARY KEY (step, bucket))
        WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS spikes (queue TEXT, started_at REAL, peak INTEGER, peak_at REAL, cleared_at REAL,
        PRIMARY KEY (queue, started_at)) WITHOUT ROWID;
"""
PRUNE = """
    DELETE FROM buckets WHERE step = ?1 AND bucket <=
        (SELECT bucket FROM buckets WHERE step = ?1 ORDER BY bucket DESC LIMIT 1 OFFSET ?2)
"""
"""By number and not by age: a clock that was wrong for a moment would have all of it pruned."""
PRUNE_SPIKES = """
    DELETE FROM spikes WHERE queue = ?1 AND started_at <=
        (SELECT started_at FROM spikes WHERE queue = ?1 ORDER BY started_at DESC LIMIT 1 OFFSET ?2)
"""
FORGET_SPIKES = """
    DELETE FROM spikes WHERE (queue, started_at) IN
        (SELECT queue, started_at FROM spikes ORDER BY started_at DESC LIMIT -1 OFFSET ?)
"""
MOST_SPIKES = 10_000
"""Of all queues, those that are gone too."""
TIMEOUT = 5.0
"""Seconds that another process may keep the file to itself."""
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH)
"""SQLite's codes for a file that is no database, is torn, or has other tables. All others are of the disk."""
Result = TypeVar("Result")
FIELDS = Spike.__struct_fields__
Numbers = tuple[float, float, float, float, float, float]


class Damaged(Exception):
    """The file is not what we wrote."""


@dataclass(frozen=True)
class Kept:
    """What the file holds, the oldest first."""

    rows: list[Row]
    spikes: list[tuple[str, Spike]]


class HistoryFile:
    """Opened when it is first used; after any failure it is opened anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def load(self) -> Kept:
        """All of it.

        :raises Damaged: it can't be understood. :raises OSError: it can't be had; so ``save``.
        """
        return self._guarded(self._load)

    def save(self, rows: Iterable[Row], spikes: Iterable[tuple[str, Spike]]) -> None:
        """Add rows and spikes, in one transaction, and let go of the oldest. Raises as ``load``."""
        self._guarded(lambda connection: self._save(connection, list(rows), list(spikes)))

    def set_aside(self) -> Path:
        """Give the damaged file another name, in the place of the one that had it. :raises OSError: it can't be."""
        self.close()
        aside = self._path.with_name(self._path.name + ".damaged")
        self._path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        return aside

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _guarded(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            if self._connection is None:
                self._connection = self._opened()
            return work(self._connection)
        except sqlite3.DatabaseError as error:
            self.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGE:
                raise Damaged(str(error)) from error
            raise OSError(f"{self._path}: {error}") from error
        except (sqlite3.Error, msgspec.DecodeError, Damaged) as error:
            self.close()
            raise Damaged(str(error)) from error

    def _opened(self) -> sqlite3.Connection:
        # Like all that the hub keeps, for its own eyes; SQLite gives its other files the same permissions.
        os.close(open_file(self._path, os.O_RDWR | os.O_CREAT))
        connection = sqlite3.connect(self._path, timeout=TIMEOUT)
        try:
            # Of what a power cut takes, nothing is missed: a few seconds of curves. What was there stays whole.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise Damaged(f"its tables are of version {version}, not {VERSION}")
            (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if state != "ok":
                raise Damaged(state)
            connection.executescript(TABLES)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _load(self, connection: sqlite3.Connection) -> Kept:
        decode = msgspec.json.Decoder(dict[str, Numbers]).decode
        found = connection.execute("SELECT step, bucket, queues FROM buckets ORDER BY step, bucket")
        rows = [Row(step, bucket, decode(queues)) for step, bucket, queues in found]
        found = connection.execute(f"SELECT queue, {', '.join(FIELDS)} FROM spikes ORDER BY started_at")  # noqa: S608
        spikes = [(queue, dict(zip(FIELDS, values, strict=True))) for queue, *values in found]
        return Kept(rows, [(queue, msgspec.convert(values, Spike)) for queue, values in spikes])

    def _save(self, connection: sqlite3.Connection, rows: list[Row], spikes: list[tuple[str, Spike]]) -> None:
        with connection:
            connection.executemany(
                "INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)",
                [(row.step, row.bucket, msgspec.json.encode(row.queues).decode()) for row in rows],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO spikes VALUES (?, ?, ?, ?, ?)",
                [(queue, *msgspec.structs.astuple(spike)) for queue, spike in spikes],
            )
            connection.executemany(PRUNE, [(tier.step, tier.length) for tier in TIERS])
            connection.executemany(PRUNE_SPIKES, {(queue, MOST) for queue, _ in spikes})
            if spikes:
                connection.execute(FORGET_SPIKES, (MOST_SPIKES,))
