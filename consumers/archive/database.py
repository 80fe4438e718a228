"""Database of the archive: connections, which are opened when needed and dropped on failure, and its error classes."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hub.consumers.archive.schema import messages, metadata
from hub.postgres import code_of, connect_arguments, extras, reason_of

PAGE = 100
"""Rows per round trip to PostgreSQL."""
SQLITE_WAIT = 5000
"""Milliseconds that a writer waits for another writer."""
REFUSALS = ("22", "23", "44", "54", "P0")
"""PostgreSQL's classes of errors that are the row's fault: data, constraints, a view's check, limits (an index entry
too long), a trigger that raises. See its documentation, appendix A. All others are the server's or the operator's: no
connection, a deadlock, a full disk, a shutdown, but also a right that is missing, a standby that only reads, a table
that was dropped. No message must become a dead letter for these."""
REFUSING = (DataError, IntegrityError, InterfaceError, NotSupportedError, ProgrammingError)
"""Error classes that are the row's fault, for errors without a code: SQLite's, and those of the drivers themselves."""
CONTENT = ("22", "54")
"""Classes in which a column's content is at fault: its encoding, a number out of range, a limit. Another form of the
row may succeed; a constraint or a trigger is intended, and is not circumvented."""
EXTRAS = extras("an archive in PostgreSQL")


def passes(error: SQLAlchemyError) -> bool:
    """True if a retry can help: the database is away, busy or not as it should be; the row is not at fault."""
    if isinstance(error, (DisconnectionError, PoolTimeoutError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = code_of(error.orig)
    return not isinstance(error, REFUSING) if code is None else code[:2] not in REFUSALS


def of_its_content(error: SQLAlchemyError) -> bool:
    """True if the message may be accepted in another form."""
    return isinstance(error, DBAPIError) and (code_of(error.orig) or "")[:2] in CONTENT


class SchemaError(Exception):
    """Failure to create or inspect the table: not a row's fault, whatever the error's class."""


class Database:
    """Database of an archive. Thread-safe: each thread borrows a connection of its own from the pool.

    :raises MissingExtra: the URL's driver is not installed.
    """

    def __init__(self, url: URL, connections: int) -> None:
        self._lock = threading.Lock()
        self._has_schema = False
        self.engine = _engine(url, connections)
        dialect: Any = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        self._insert = dialect.insert(messages).on_conflict_do_nothing(index_elements=["digest"])

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Insert the rows in one transaction; those that exist already are skipped.

        :raises SchemaError: there is no table and none can be created, most often because the database is away.
        :raises SQLAlchemyError: nothing was inserted; :func:`passes` tells whether a retry can help.
        """
        self._ensure_schema()
        with self.engine.begin() as connection:
            connection.execute(self._insert, list(rows))

    def forget_connections(self) -> None:
        """Drop all connections. The next use connects anew and checks the table again: the database may have been
        replaced."""
        with self._lock:
            self._has_schema = False
        self.engine.dispose()

    def close(self) -> None:
        """Close all connections; the last call."""
        self.engine.dispose()

    def _ensure_schema(self) -> None:
        with self._lock:
            if not self._has_schema:
                try:
                    self._create()
                except SQLAlchemyError as error:
                    raise SchemaError(reason_of(error)) from error
                self._has_schema = True

    def _create(self) -> None:
        """Create the table. Two hubs may do so at the same time: the one that fails checks again."""
        try:
            metadata.create_all(self.engine)
        except (ProgrammingError, IntegrityError):
            metadata.create_all(self.engine)
        except OperationalError:
            if self.engine.dialect.name != "sqlite":  # there, it is no lost race but a server that is away
                raise
            metadata.create_all(self.engine)


def _engine(url: URL, connections: int) -> Engine:
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True, "json_serializer": _json}
    if url.get_backend_name() == "postgresql":
        if url.get_driver_name() == "psycopg2":
            # Without a mode, "on conflict" makes SQLAlchemy send row by row: a round trip each.
            options |= {"executemany_mode": "values_plus_batch", "executemany_batch_page_size": PAGE}
        options |= {"pool_size": connections, "connect_args": connect_arguments(url)}
    try:
        engine = create_engine(url, **options)
    except ImportError as error:  # psycopg raises this, too, where it finds no libpq
        raise EXTRAS[url.get_driver_name()].error() from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "do_connect", lambda *_: _make_private(Path(str(url.database))))
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _json(value: object) -> str:
    """JSON as searchable text: characters are not escaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _make_private(file: Path) -> None:
    """Create a new file with access for its owner only: messages are not for every user of this machine. An existing
    file keeps its mode, and SQLite gives its other files the same."""
    with suppress(OSError):  # SQLite says better what is wrong
        file.touch(mode=0o600)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Set up a connection: WAL, so that readers and the writer don't wait for each other, and a timeout for writers."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
