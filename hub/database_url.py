"""URL of a database in a section of ``hub.conf``: what is wrong with it, its driver, and the URL to connect with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.secret import Secret

DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2", "postgresql+psycopg")
"""Drivers whose errors are classified; see :mod:`hub.postgres`."""
HELP = (
    "SQLAlchemy's URL: sqlite:///FILE, relative to the state directory, or postgresql://user@host/name "
    "(with hubbub[postgres] installed), or postgresql+psycopg://... (with hubbub[psycopg])."
)


def contradictions(text: str, example: str, mode: bool) -> Iterator[str]:
    """Yield what is wrong with the setting ``database``.

    :param example: name of a file. :param mode: whether the URL may choose SQLite's mode, which may be memory.
    """
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        yield f"database: expected a URL such as sqlite:///{example} or postgresql:///name"
        return
    if backend not in ("sqlite", "postgresql"):
        yield f"database: expected sqlite or postgresql, not {backend}"
    elif url.drivername not in DRIVERS:
        yield f"database: expected {backend}://..., not {url.drivername}"
    if backend == "sqlite" and (url.database in (None, "", ":memory:") or ("mode" in url.query and not mode)):
        yield f"database: expected a file, as in sqlite:///{example}, not a database in memory"
    if "password" in url.query:  # a query parameter is not masked where the URL is shown, unlike user:password@
        yield "database: the URL must not contain the password: set password = 'file:/path'"


def driver_of(text: str) -> str:
    """Name of the URL's driver: ``pysqlite``, ``psycopg2`` or ``psycopg``."""
    drivername = make_url(text).drivername
    return {"sqlite": "pysqlite", "postgresql": "psycopg2"}.get(drivername, drivername.rpartition("+")[2])


def complete(text: str, state_dir: Path, password: Secret | None) -> URL:
    """URL with its password, and an absolute file. :raises ConfigError: the password can't be read."""
    url = make_url(text)
    if url.get_backend_name() == "sqlite":
        return url.set(database=str(state_dir / (url.database or "")))
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg2")
    return url.set(password=password.read()) if password is not None else url
