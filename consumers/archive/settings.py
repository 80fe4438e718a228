"""The archive's settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hub.settings import SecretRef, Settings, setting

DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg2")
"""Those that errors are told apart for, see :mod:`hub.consumers.archive.database`."""


class Config(Settings):
    """Where the messages are kept."""

    database: str = setting(
        "sqlite:///archive.db",
        "SQLAlchemy's URL: sqlite:///FILE, relative to the state directory, or postgresql://user@host/name "
        "(with hubbub[postgres] installed).",
    )
    password: SecretRef | None = setting(None, "The database's password: file:/path or credential:name.")

    @model_validator(mode="after")
    def _supported(self) -> Config:
        try:
            url = make_url(self.database)
            backend = url.get_backend_name()
        except (ArgumentError, ValueError) as error:
            raise ValueError("database: expected a URL such as sqlite:///archive.db or postgresql:///name") from error
        if backend not in ("sqlite", "postgresql"):
            raise ValueError(f"database: expected sqlite or postgresql, not {backend}")
        if url.drivername not in DRIVERS:
            raise ValueError(f"database: expected {backend}://..., not {url.drivername}")
        if backend == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("database: expected a file, as in sqlite:///archive.db: memory is no archive")
        if "password" in url.query:  # as user:password@ it is masked wherever the URL is shown; here it is not
            raise ValueError("database: a password is not written into the URL: give password = 'file:/path'")
        return self

    def url(self, state_dir: Path) -> URL:
        """With its password, and an absolute file. :raises ConfigError: the password can't be read."""
        url = make_url(self.database)
        if url.get_backend_name() == "sqlite":
            return url.set(database=str(state_dir / (url.database or "")))
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg2")
        return url.set(password=self.password.read()) if self.password is not None else url
