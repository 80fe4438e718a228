"""The connection: made when it is needed, thrown away when it fails, and what its errors mean."""

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
from hub.errors import MissingExtra
from hub.text import printable

CONNECTING: dict[str, int | str] = {
    "connect_timeout": 10,  # seconds, as all but the last
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""What libpq is told unless the URL says otherwise: to give a server up after half a minute of silence. With the
kernel's own defaults a thread hangs for 15 minutes, or for two hours, when a network swallows packets."""
PAGE = 100
"""Rows that one round trip takes to PostgreSQL."""
SQLITE_WAIT = 5000
"""Milliseconds that a writer waits for another one."""
REFUSALS = ("22", "23", "44", "54", "P0")
"""PostgreSQL's classes of errors that are the row's fault: data, constraints, a view's check, limits (an index entry
too long), a trigger that raises. See its documentation, appendix A. All others are the server's or the operator's: no
connection, a deadlock, a full disk, a shutdown, but also a right that is missing, a standby that only reads, a table
that was dropped. No message must become a dead letter for these."""
REFUSING = (DataError, IntegrityError, InterfaceError, NotSupportedError, ProgrammingError)
"""The same by class, for errors that carry no code: SQLite's, and those of the drivers themselves."""
CONTENT = ("22", "54")
"""Of these, where the content of a column is at fault: its encoding, a number out of range, a limit. Another way to
write the row may do; a constraint or a trigger is somebody's will, and is not gone around."""
LONGEST_REASON = 300


def passes(error: SQLAlchemyError) -> bool:
    """Whether trying again later can help: the database is away, busy or not as it should be; not the row's fault."""
    if isinstance(error, (DisconnectionError, PoolTimeoutError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "pgcode", None)
    return not isinstance(error, REFUSING) if code is None else str(code)[:2] not in REFUSALS


def of_its_content(error: SQLAlchemyError) -> bool:
    """Whether the same message may be taken if it is written otherwise."""
    return str(getattr(getattr(error, "orig", None), "pgcode", None))[:2] in CONTENT


def reason_of(error: SQLAlchemyError) -> str:
    """What the database said, on one bounded line. Its further lines quote the row, or guess."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return printable(lines[0] if lines else type(error).__name__)[:LONGEST_REASON]


class SchemaError(Exception):
    """The table can't be made or looked at: no row's fault, whatever the database calls it."""


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
        """All of them in one transaction; those that are there already are passed over.

        :raises SchemaError: there is no table and none can be made, most often because the database is away.
        :raises SQLAlchemyError: nothing was added; :func:`passes` says whose fault it was.
        """
        self._ensure_schema()
        with self.engine.begin() as connection:
            connection.execute(self._insert, list(rows))

    def forget_connections(self) -> None:
        """The next use connects anew, and looks for the table again: the database may be another one by then."""
        with self._lock:
            self._has_schema = False
        self.engine.dispose()

    def close(self) -> None:
        """The last call."""
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
        """Two hubs that make it at the same time both find it made: whoever loses looks again."""
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
        # Without a mode, "on conflict" makes SQLAlchemy send row by row: a round trip each.
        options |= {"executemany_mode": "values_plus_batch", "executemany_batch_page_size": PAGE}
        connecting = {name: value for name, value in CONNECTING.items() if name not in url.query}
        connecting["client_encoding"] = "utf8"  # whatever the database, the role or the environment would have
        options |= {"pool_size": connections, "connect_args": connecting}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise MissingExtra("an archive in PostgreSQL", "postgres") from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "do_connect", lambda *_: _make_private(Path(str(url.database))))
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _json(value: object) -> str:
    """As text that a search can look into: letters as they are, not as escapes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _make_private(file: Path) -> None:
    """What goes over the bus is not for everybody on this machine: a new file is its owner's. One that is there keeps
    the mode that somebody gave it, and SQLite gives its companions the same."""
    with suppress(OSError):  # SQLite says better what is wrong
        file.touch(mode=0o600)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    """Readers and the writer don't wait for each other (WAL), and a writer waits for another a while."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()
