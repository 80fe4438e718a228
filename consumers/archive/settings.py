"""Settings of the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL

from hub import database_url
from hub.settings import SecretRef, Settings, setting


class Config(Settings):
    """Settings of the archive's database."""

    database: str = setting("sqlite:///archive.db", database_url.HELP)
    password: SecretRef | None = setting(None, "The database's password: file:/path or credential:name.")

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong with the database's URL."""
        yield from database_url.contradictions(self.database, "archive.db", mode=True)

    @property
    def driver(self) -> str:
        """Name of the URL's driver: ``pysqlite``, ``psycopg2`` or ``psycopg``."""
        return database_url.driver_of(self.database)

    def url(self, state_dir: Path) -> URL:
        """URL with its password, and an absolute file. :raises ConfigError: the password can't be read."""
        return database_url.complete(self.database, state_dir, self.password)
