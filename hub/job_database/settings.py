"""Settings of a database of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.settings import Duration, SecretRef, Settings, Size, setting

DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2", "postgresql+psycopg")
LEAST_LEASE = 1.0


class DatabaseSettings(Settings):
    """Settings of ``[jobs.NAME]``."""

    database: str = setting(
        "sqlite:///jobs.db",
        "SQLAlchemy's URL: sqlite:///FILE, relative to the state directory, or postgresql://user@host/name "
        "(with hubbub[postgres] installed), or postgresql+psycopg://... (with hubbub[psycopg]).",
    )
    password: SecretRef | None = setting(None, "The database's password: file:/path or credential:name.")
    lease: Duration = setting(
        "15s",
        "How long a hub may be silent until others have the jobs that it had in hand; the same in all programs on "
        "this database.",
        ge=LEAST_LEASE,
        le=86400,
    )
    max_body: Size = setting("1MiB", "Largest body of a job that is inserted through this hub.", ge=1, le=64 << 20)
    keep_finished: Duration = setting("1d", "How long the exit status of a finished job is kept.")
    keep_dead: Duration = setting("180d", "How long a dead letter is kept.")
    keep_errors: Duration = setting("1w", "How long the errors of failed attempts are kept.")

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong with the database's URL."""
        try:
            url = make_url(self.database)
            backend = url.get_backend_name()
        except (ArgumentError, ValueError):
            yield "database: expected a URL such as sqlite:///jobs.db or postgresql:///name"
            return
        if backend not in ("sqlite", "postgresql"):
            yield f"database: expected sqlite or postgresql, not {backend}"
        elif url.drivername not in DRIVERS:
            yield f"database: expected {backend}://..., not {url.drivername}"
        if backend == "sqlite" and (url.database in (None, "", ":memory:") or "mode" in url.query):
            yield "database: expected a file, as in sqlite:///jobs.db, not a database in memory"
        if "password" in url.query:  # a query parameter is not masked where the URL is shown, unlike user:password@
            yield "database: the URL must not contain the password: set password = 'file:/path'"

    @property
    def driver(self) -> str:
        """Name of the URL's driver: ``pysqlite``, ``psycopg2`` or ``psycopg``."""
        drivername = make_url(self.database).drivername
        return {"sqlite": "pysqlite", "postgresql": "psycopg2"}.get(drivername, drivername.rpartition("+")[2])

    def url(self, state_dir: Path) -> URL:
        """URL with its password, and an absolute file. :raises ConfigError: the password can't be read."""
        url = make_url(self.database)
        if url.get_backend_name() == "sqlite":
            return url.set(database=str(state_dir / (url.database or "")))
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg2")
        return url.set(password=self.password.read()) if self.password is not None else url
