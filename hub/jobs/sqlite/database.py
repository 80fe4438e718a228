"""The file of SQLite: its schema, and transactions of its one writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.pool import QueuePool

from hub.errors import Unavailable
from hub.jobs.connections import DriverLink, Link, OwnLink, callers_link, engine_of, library_errors
from hub.jobs.errors import BadDatabase, BadJob
from hub.jobs.sqlite.filesystems import network_type, read_mounts
from hub.jobs.sqlite.place import FilePlace
from hub.jobs.sqlite.watching import Watcher
from hub.jobs.storage import Deaf, Heard, Listening
from hub.text import printable

VERSION = 9
"""Version of the schema that this library works with; in the file it is ``user_version``."""
APPLICATION = 0x68756A6F
"""Mark of such a file (``application_id``)."""
BUSY = 10_000
"""Milliseconds that a writer waits for another program's."""
MIGRATIONS = [
    """
    CREATE TABLE counter (one INTEGER PRIMARY KEY CHECK (one = 1), jobs INTEGER NOT NULL, claims INTEGER NOT NULL);
    INSERT INTO counter VALUES (1, 0, 0);
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        priority INTEGER NOT NULL,
        state TEXT NOT NULL,
        created REAL NOT NULL,
        due REAL,
        attempt INTEGER NOT NULL,
        max_retries INTEGER NOT NULL,
        key TEXT,
        tags TEXT NOT NULL,
        body BLOB NOT NULL,
        claim INTEGER NOT NULL DEFAULT 0,
        process INTEGER,
        cancelled INTEGER NOT NULL DEFAULT 0,
        died REAL,
        reason TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX job_waiting ON job (queue, priority DESC, id) WHERE state = 'waiting';
    CREATE INDEX job_delayed ON job (due) WHERE state = 'delayed';
    CREATE INDEX job_running ON job (process) WHERE state = 'running';
    CREATE INDEX job_dead ON job (queue, died) WHERE state = 'dead';
    CREATE TABLE ended (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        status INTEGER,
        at REAL NOT NULL
    );
    CREATE INDEX ended_at ON ended (at);
    CREATE TABLE error (job INTEGER NOT NULL, attempt INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL);
    CREATE INDEX error_job ON error (job);
    CREATE INDEX error_at ON error (at);
    CREATE TABLE live_key (
        queue TEXT NOT NULL,
        key TEXT NOT NULL,
        job INTEGER NOT NULL,
        keeps TEXT NOT NULL,
        finished REAL,
        PRIMARY KEY (queue, key)
    ) WITHOUT ROWID;
    CREATE INDEX live_key_job ON live_key (job);
    CREATE TABLE process (id INTEGER PRIMARY KEY, name TEXT NOT NULL, started REAL NOT NULL, seen REAL NOT NULL);
    CREATE TABLE paused (queue TEXT PRIMARY KEY, since REAL NOT NULL, reason TEXT NOT NULL);
    """,
    """
    ALTER TABLE error ADD COLUMN queue TEXT NOT NULL DEFAULT '';
    CREATE TABLE queue (name TEXT PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO queue SELECT queue FROM job UNION SELECT queue FROM ended;
    """,
    """
    ALTER TABLE job ADD COLUMN coalesce TEXT;
    CREATE INDEX job_coalesce ON job (queue, coalesce, priority DESC, id)
        WHERE state = 'waiting' AND coalesce IS NOT NULL;
    """,
    "ALTER TABLE live_key ADD COLUMN since REAL NOT NULL DEFAULT 0",
    """
    ALTER TABLE job ADD COLUMN lock TEXT;
    ALTER TABLE job ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
    DROP INDEX job_waiting;
    CREATE INDEX job_waiting ON job (queue, priority DESC, id) WHERE state = 'waiting' AND parked = 0;
    CREATE INDEX job_parked ON job (queue, lock, priority DESC, id) WHERE parked = 1;
    CREATE INDEX job_locked ON job (queue, lock) WHERE state = 'running' AND lock IS NOT NULL;
    CREATE TABLE queue_limit (
        queue TEXT PRIMARY KEY,
        per_lock INTEGER NOT NULL,
        rate REAL,
        burst REAL NOT NULL,
        tokens REAL NOT NULL,
        refilled REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE note (
        job INTEGER NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        at REAL NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (job, kind, name)
    ) WITHOUT ROWID;
    CREATE INDEX note_result ON note (at) WHERE kind = 'result';
    """,
    "ALTER TABLE process ADD COLUMN silent_since REAL",
    "ALTER TABLE job ADD COLUMN trace TEXT",
    """
    ALTER TABLE process ADD COLUMN lease REAL;
    ALTER TABLE job ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;
    """,
]
"""Statements that lead from each version to the next, beginning with none."""


class SQLiteFile:
    """A file of SQLite. Thread-safe: one thread at a time writes, and one looks beside it, by a connection of its own,
    for a look may take seconds where many jobs wait."""

    def __init__(self, url: URL, state_dir: Path) -> None:
        if not url.database or url.database == ":memory:" or "mode=memory" in str(url):
            raise BadDatabase("jobs need a file, such as sqlite:////var/lib/app/jobs.db, not a database in memory")
        self.file = (state_dir / url.database).absolute()
        self._place = FilePlace(self.file)
        self._lock, self._looks = threading.Lock(), threading.Lock()
        self._engine = _engine(url.set(database=str(self.file)))

    def open(self, migrate: bool = True) -> None:
        """Make or migrate the schema.

        :param migrate: false: change nothing. :raises BadDatabase: the file, or its file system, can't be used.
        """
        kind = network_type(self.file.resolve(), read_mounts())
        if kind is not None:
            raise BadDatabase(f"{self.file} is on a network file system ({kind}): SQLite's locks do not hold there")
        if not migrate and not self.file.exists():
            raise BadDatabase(f"{self.file} is not there: no job was ever inserted")
        if not self.file.parent.is_dir():
            raise BadDatabase(f"{self.file.parent} is no directory")
        with suppress(OSError):  # SQLite says better what is wrong; jobs are not for every user of this machine
            self.file.touch(mode=0o600)
        self._place.open()
        self._bring_up(migrate)

    def _bring_up(self, migrate: bool) -> None:
        with self.look() as link:  # the caller of connection= may be the writer already
            found = self._version(link)
        self._write_ahead()
        if found == VERSION:
            return
        with self.begin() as link:
            found = self._version(link)
            if not migrate and not found:
                raise BadDatabase(f"{self.file} has no tables for jobs: no job was ever inserted")
            if not migrate and found < VERSION:
                raise BadDatabase(
                    f"the jobs' schema in {self.file} has version {found}, this program needs {VERSION}:"
                    " the first insertion migrates it"
                )
            self._migrate(link, found)

    def _write_ahead(self) -> None:
        """Have the file in WAL mode, now that it is known to be ours; it stays so."""
        with self._lock, _file_errors(self.file), library_errors(self._engine), self._engine.connect() as connection:
            DriverLink(connection.connection.driver_connection).rows("PRAGMA journal_mode = WAL")

    def _version(self, link: Link) -> int:
        """Version that is there; 0: none. :raises BadDatabase: it is newer, or the file is something else's."""
        ((found,),) = link.rows("PRAGMA user_version")
        ((application,),) = link.rows("PRAGMA application_id")
        tables = link.rows("SELECT name FROM sqlite_master LIMIT 1")
        if application != APPLICATION and (found or tables):
            raise BadDatabase(f"{self.file} is a database of something else: jobs need a file that they have made")
        if found > VERSION:
            raise BadDatabase(
                f"the jobs' schema in {self.file} has version {found}, this program knows versions up to {VERSION}:"
                " upgrade it"
            )
        return int(found)

    def _migrate(self, link: Link, found: int) -> None:
        for statements in MIGRATIONS[found:]:
            for statement in statements.split(";\n"):
                if statement.strip():
                    link.run(statement)
        if found < VERSION:
            link.run(f"PRAGMA application_id = {APPLICATION}")
            link.run(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def begin(self) -> Iterator[Link]:
        """Open a transaction of the writer."""
        with self._turn(self._lock), self._engine.begin() as connection:
            yield OwnLink(connection)

    @contextmanager
    def look(self) -> Iterator[Link]:
        """Open a transaction that only reads. It sees one state, waits for no writer, and keeps none waiting."""
        with self._turn(self._looks), self._engine.connect() as connection:
            link = DriverLink(connection.connection.driver_connection)
            link.run("BEGIN")
            try:
                yield link
            finally:
                link.run("ROLLBACK")

    @contextmanager
    def _turn(self, lock: threading.Lock) -> Iterator[None]:
        """Do something in the file that was opened, one thread at a time. A file that was removed or replaced stays
        open, and takes all that is written: nobody would find it again.

        :raises BadDatabase: another file is in its place, or none. After a transaction: what it has done is in the old
            file.
        """
        with lock:
            self._check_place()
            with _file_errors(self.file), library_errors(self._engine):
                yield
            self._place.note()
            self._check_place()

    def _check_place(self) -> None:
        self._place.check()
        if self._place.shrinks():
            self._check_content()

    def _check_content(self) -> None:
        """Look whether a file that became smaller is sound: SQLite itself does not notice that it was overwritten.

        :raises BadDatabase: it is not.
        """
        try:
            with closing(sqlite3.connect(f"{self.file.as_uri()}?mode=rw", uri=True)) as connection:
                ((found,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        except sqlite3.OperationalError as error:  # it is busy: the next call looks again
            raise Unavailable(f"{self.file}: {error}") from error
        except sqlite3.Error as error:
            found = str(error)
        if found != "ok":
            raise BadDatabase(
                f"{self.file} is damaged: it was overwritten while this program had it open, as by cp, or the disk is"
                f" bad. Stop all programs that use it, remove {self.file.name}-wal and -shm, and restore it"
                f" ({printable(str(found).strip().splitlines()[-1])[:200]})"
            )
        self._place.accept()

    @contextmanager
    def link(self, connection: object) -> Iterator[Link]:
        """Link by the caller's connection.

        :raises BadJob: it is to another file, or has no transaction. :raises BadDatabase: the file was replaced.
        """
        self._check_place()
        with _file_errors(self.file), callers_link(connection, "sqlite") as link:
            files = [Path(file) for _, name, file in link.rows("PRAGMA database_list") if name == "main" and file]
            if not files or files[0].resolve() != self.file.resolve():
                raise BadJob(
                    f"connection= is to {files[0] if files else 'a database in memory'}, the jobs are in {self.file}"
                )
            yield link

    def watch(self, heard: Heard) -> Listening:
        """Begin to tell of what other connections commit."""
        return Watcher(self.file, heard)

    def close(self) -> None:
        """Close all connections."""
        self._place.close()
        self._engine.dispose()


class SQLiteMemory(SQLiteFile):
    """A database in memory, for tests: all :class:`~hub.jobs.sqlite.SQLite` that are given it share it. It lasts until
    ``discard()``."""

    def __init__(self) -> None:
        self.file = Path(":memory:")
        self._place = FilePlace(self.file)
        self._lock = self._looks = threading.Lock()
        self._engine = _engine(make_url("sqlite://"))

    def open(self, migrate: bool = True) -> None:
        """Make the schema."""
        self._bring_up(migrate)

    @contextmanager
    def link(self, connection: object) -> Iterator[Link]:
        """Refuse the caller's connection. :raises BadJob: always."""
        raise BadJob("jobs in memory can't be inserted by a connection=: no other database has a transaction with them")
        yield  # for the type of this function

    def watch(self, heard: Heard) -> Listening:
        """Tell of nothing: who waits looks as often as the clock is moved."""
        return Deaf()

    def close(self) -> None:
        """Keep the one connection, for others may share it."""

    def discard(self) -> None:
        """Let all jobs go."""
        self._engine.dispose()


@contextmanager
def _file_errors(file: Path) -> Iterator[None]:
    """Tell damage from what passes: SQLite's errors of both kinds are of one class."""
    try:
        yield
    except Unavailable as error:
        original = getattr(error.__cause__, "orig", error.__cause__)
        if getattr(original, "sqlite_errorname", "") in (
            "SQLITE_CANTOPEN",
            "SQLITE_READONLY",
            "SQLITE_READONLY_DBMOVED",
            "SQLITE_ERROR",
        ):
            raise BadDatabase(f"{file}: {original}") from error
        raise


def _engine(url: URL) -> Engine:
    # Threads take turns: a connection goes from one to the other.
    engine = engine_of(url, poolclass=QueuePool, pool_size=2, connect_args={"check_same_thread": False})

    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # "BEGIN IMMEDIATE" is said below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY}")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()

    event.listen(engine, "connect", connected)
    # A transaction that begins by reading can't become the writer's while another writes: it fails at once.
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine
