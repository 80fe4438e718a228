"""Connections to the database: the library's own, from a pool, and the caller's, in whatever library they come."""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, scoped_session

from hub.errors import Unavailable
from hub.jobs.errors import BadDatabase, BadJob
from hub.postgres import code_of, connect_arguments, extras, reason_of

Values = Mapping[str, Any]
Rows = list[tuple[Any, ...]]
POOL = 8
"""Connections of a ``Jobs`` at most."""
EXTRAS = extras("a job queue in PostgreSQL")
PASSING = ("08", "25", "40", "53", "55", "57", "58")
"""PostgreSQL's classes of errors after which the same may succeed later: no connection, a server that only reads, a
deadlock, no room, a lock that another has, a shutdown or a time limit, the disk. See its documentation, appendix A."""


class Link(Protocol):
    """A transaction in which statements are run."""

    def rows(self, sql: str, values: Values | None = None) -> Rows:
        """Run a statement, and return all rows."""

    def run(self, sql: str, values: Values | None = None) -> int:
        """Run a statement. :returns: how many rows it changed."""

    def put(self, sql: str, values: Values | None = None) -> None:
        """Run a statement whose answer nobody needs, at the latest with the next one or with the commit."""

    def many(self, sql: str, values: Sequence[Values]) -> int:
        """Run a statement with each of these. :returns: how many rows it changed."""

    def copy(self, sql: str, text: str) -> None:
        """Run PostgreSQL's ``COPY ... FROM STDIN``."""


class OwnLink:
    """A link by SQLAlchemy's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Values | None = None) -> Rows:
        """See :class:`Link`."""
        result = self._connection.exec_driver_sql(sql, dict(values or {}))
        rows: Rows = (
            list(result.cursor.fetchall()) if result.cursor is not None else []
        )  # plain tuples, at half the cost
        result.close()
        return rows

    def run(self, sql: str, values: Values | None = None) -> int:
        """See :class:`Link`."""
        return self._connection.exec_driver_sql(sql, dict(values or {})).rowcount

    def put(self, sql: str, values: Values | None = None) -> None:
        """See :class:`Link`."""
        self.run(sql, values)

    def many(self, sql: str, values: Sequence[Values]) -> int:
        """See :class:`Link`."""
        return self._connection.exec_driver_sql(sql, [dict(each) for each in values]).rowcount if values else 0

    def copy(self, sql: str, text: str) -> None:
        """See :class:`Link`."""
        copy_in(self._connection.connection.cursor(), sql, text)


class DriverLink:
    """A link by a connection of a driver."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def _cursor(self) -> Any:
        module = type(self._connection).__module__.partition(".")[0]
        if module == "psycopg2":
            return self._connection.cursor(cursor_factory=importlib.import_module("psycopg2.extensions").cursor)
        if module == "psycopg":
            return self._connection.cursor(row_factory=importlib.import_module("psycopg.rows").tuple_row)
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor

    def _execute(self, sql: str, values: Values | None) -> Any:
        cursor = self._cursor()
        cursor.execute(sql, dict(values or {}))
        return cursor

    def rows(self, sql: str, values: Values | None = None) -> Rows:
        """See :class:`Link`."""
        with _closing(self._execute(sql, values)) as cursor:
            return list(cursor.fetchall())

    def run(self, sql: str, values: Values | None = None) -> int:
        """See :class:`Link`."""
        with _closing(self._execute(sql, values)) as cursor:
            return int(cursor.rowcount)

    def put(self, sql: str, values: Values | None = None) -> None:
        """See :class:`Link`."""
        self.run(sql, values)

    def many(self, sql: str, values: Sequence[Values]) -> int:
        """See :class:`Link`."""
        with _closing(self._cursor()) as cursor:
            cursor.executemany(sql, [dict(each) for each in values])
            return int(cursor.rowcount)

    def copy(self, sql: str, text: str) -> None:
        """See :class:`Link`."""
        copy_in(self._cursor(), sql, text)


@contextmanager
def _closing(cursor: Any) -> Iterator[Any]:
    try:
        yield cursor
    finally:
        cursor.close()


def copy_in(cursor: Any, sql: str, text: str) -> None:
    """Run PostgreSQL's ``COPY ... FROM STDIN`` by either driver's cursor, which is closed."""
    with _closing(cursor):
        if hasattr(cursor, "copy_expert"):
            cursor.copy_expert(sql, io.StringIO(text))
            return
        with cursor.copy(sql) as copying:
            copying.write(text)


@contextmanager
def callers_link(connection: object, backend: str) -> Iterator[Link]:
    """Link by the caller's connection. Errors are those of a transaction of the library's own.

    :param backend: ``postgresql`` or ``sqlite``: what it has to be to.
    :raises BadJob: it is none that can be used, or in autocommit mode and in no transaction.
    :raises Unavailable: the database is away or busy; what the transaction has done is to be rolled back.
    :raises BadDatabase: the statement was refused for another reason.
    """
    try:
        yield _link_of(connection, backend)
    except DBAPIError as error:
        raise _library_error(error.orig, error, error.connection_invalidated) from error
    except SQLAlchemyError as error:  # it is closed, or its transaction has failed already
        raise BadJob(f"connection= can't be used: {reason_of(error)}") from error
    except Exception as error:
        if not _is_of_a_driver(error):
            raise
        raise _library_error(error, error, gone=False) from error


def _is_of_a_driver(error: Exception) -> bool:
    """True if it is an error of the DB-API of a driver, which may not be installed."""
    bases = {(base.__module__.partition(".")[0], base.__name__) for base in type(error).__mro__}
    return not bases.isdisjoint((module, "Error") for module in (*EXTRAS, "sqlite3"))


def _link_of(connection: object, backend: str) -> Link:
    if isinstance(connection, (Session, scoped_session)):
        connection = connection.connection()
    if isinstance(connection, Connection):
        if connection.dialect.name != backend:
            raise BadJob(f"connection= is to a database of {connection.dialect.name}, the jobs are in {backend}")
        if not connection.in_transaction():
            connection.begin()
        _check_transaction(connection.connection.driver_connection)
        return OwnLink(connection)
    module = type(connection).__module__.partition(".")[0]
    if module not in {"postgresql": ("psycopg2", "psycopg"), "sqlite": ("sqlite3",)}[backend]:
        raise BadJob(f"connection= is no connection to {backend}: {type(connection).__module__}")
    if type(connection).__name__.startswith("Async"):
        raise BadJob("connection= is asynchronous; give one that is not")
    _check_transaction(connection)
    return DriverLink(connection)


def _check_transaction(raw: Any) -> None:
    """:raises BadJob: each statement would be a transaction of its own."""
    if _autocommits(raw) and not _in_transaction(raw):
        raise BadJob("connection= is in autocommit mode: a job is more than one row, and needs a transaction")


def _in_transaction(raw: Any) -> bool:
    if hasattr(raw, "in_transaction"):
        return bool(raw.in_transaction)
    status = raw.info.transaction_status
    return int(status) == 2  # libpq's PQTRANS_INTRANS


def _autocommits(raw: Any) -> bool:
    if hasattr(raw, "in_transaction"):
        return raw.isolation_level is None or getattr(raw, "autocommit", None) is True
    return bool(raw.autocommit)


def url_of(dsn: str | URL) -> URL:
    """A DSN, with its driver.

    :raises BadDatabase: it is none, or not to PostgreSQL or SQLite. :raises MissingExtra: no driver is installed.
    """
    try:
        url = make_url(dsn)
        if any("\0" in str(part) for part in (url.username, url.password, url.host, url.database)):
            raise ValueError("it has a NUL")
        if url.drivername == "postgres":  # as libpq and many a hoster write it
            url = url.set(drivername="postgresql")
        backend = url.get_backend_name()
    except (ArgumentError, SQLAlchemyError, ValueError) as error:
        raise BadDatabase(f"this is no DSN such as postgresql://user@host/name or sqlite:////file: {error}") from error
    if backend not in ("postgresql", "sqlite"):
        raise BadDatabase(f"jobs are kept in PostgreSQL or SQLite, not in {backend}")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg2" if _there("psycopg2") else "postgresql+psycopg")
    driver = url.get_driver_name()
    if backend == "postgresql":
        if driver not in EXTRAS:
            raise BadDatabase(f"jobs need the driver psycopg2 or psycopg, not {driver}")
        EXTRAS[driver if _there(driver) else "psycopg2"].check()
    return url


def _there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:  # psycopg raises this, too, where it finds no libpq
        return False
    return True


def engine_of(url: URL, timeout: float | None = None, **options: Any) -> Engine:
    """Pool of connections to PostgreSQL or SQLite. :param timeout: seconds that PostgreSQL may take for a new one."""
    if url.get_backend_name() == "postgresql":
        pool = {} if "poolclass" in options else {"pool_size": POOL, "max_overflow": 0}
        arguments = connect_arguments(url)
        if timeout is not None and "connect_timeout" in arguments:  # libpq knows no second, but two
            arguments["connect_timeout"] = min(arguments["connect_timeout"], max(2, math.ceil(timeout)))
        options |= {"connect_args": arguments, **pool}
    return create_engine(url, hide_parameters=True, **options)


@contextmanager
def library_errors(engine: Engine) -> Iterator[None]:
    """Raise the library's errors for those of the database."""
    try:
        yield
    except (DisconnectionError, PoolTimeoutError) as error:
        raise Unavailable(f"the jobs' database: {reason_of(error)}") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            engine.dispose()
        raise _library_error(error.orig, error, error.connection_invalidated) from error
    except engine.dialect.loaded_dbapi.Error as error:  # COPY's, which SQLAlchemy knows nothing of
        raise _library_error(error, error, gone=False) from error


def _library_error(original: BaseException | None, error: Exception, gone: bool) -> Exception:
    """The library's error for a driver's. :param gone: whether the connection is."""
    code = code_of(original)
    names = {base.__name__ for base in type(original).__mro__}  # psycopg has classes of its own below these
    passes = code[:2] in PASSING if code else not names.isdisjoint(("OperationalError", "InterfaceError"))
    return (Unavailable if gone or passes else BadDatabase)(f"the jobs' database: {reason_of(error)}")
