"""The connection: made when it is needed, thrown away when it fails, and what its errors mean."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from consumers.archive.schema import messages, metadata
from hub.errors import MissingExtra

CONNECT_TIMEOUT = 10
"""Seconds."""
SQLITE_WAIT = 5000
"""Milliseconds that a writer waits for another one."""
PASSING = ("08", "40", "53", "55", "57", "58")
"""PostgreSQL's classes of errors that pass: connection, rollback of a deadlock, resources (a full disk, too many
clients), object in use, operator intervention (a shutdown), the system. See its documentation, appendix A."""


def passes(error: Exception) -> bool:
    """Whether trying again later can help: the database is away, or busy; not the row's fault."""
    if isinstance(error, (DisconnectionError, PoolTimeoutError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "pgcode", None)
    if code is not None:
        return str(code)[:2] in PASSING
    if isinstance(error, IntegrityError):
        return False
    return bool(error.connection_invalidated) or isinstance(error, OperationalError)


class Database:
    """Thread-safe: each thread borrows a connection of its own from the pool.

    :raises MissingExtra: the URL's driver is not installed.
    """

    def __init__(self, url: URL, connections: int) -> None:
        self._lock = threading.Lock()
        self._has_schema = False
        self.engine = _engine(url, connections)
        dialect: Any = postgresql if self.engine.dialect.name == "postgresql" else sqlite
        self._insert = dialect.insert(messages).on_conflict_do_nothing(index_elements=["digest"])

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """All of them in one transaction; those that are there already are passed over."""
        self._ensure_schema()
        with self.engine.begin() as connection:
            connection.execute(self._insert, list(rows))

    def forget_connections(self) -> None:
        """The next use connects anew."""
        self.engine.dispose()

    def close(self) -> None:
        """The last call."""
        self.engine.dispose()

    def _ensure_schema(self) -> None:
        """Two hubs that make it at the same time both find it made: whoever loses looks again."""
        with self._lock:
            if not self._has_schema:
                try:
                    metadata.create_all(self.engine)
                except (ProgrammingError, IntegrityError, OperationalError):
                    metadata.create_all(self.engine)
                self._has_schema = True


def _engine(url: URL, connections: int) -> Engine:
    options: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        options |= {"pool_size": connections, "connect_args": {"connect_timeout": CONNECT_TIMEOUT}}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise MissingExtra("an archive in PostgreSQL", "postgres") from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Readers and the writer don't wait for each other (WAL), and a writer waits for another a while."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
