"""Settings of a database of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL

from hub import database_url
from hub.errors import MissingExtra
from hub.jobs.checks import encoded, template
from hub.jobs.cron_line import BadSchedule
from hub.jobs.errors import BadJob
from hub.jobs.schedule import CronSchedule
from hub.settings import Duration, SecretRef, Settings, Size, setting

LEAST_LEASE = 1.0
LARGEST_BODY = 64 << 20
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class CronEntry(Settings):
    """Settings of ``[jobs.NAME.cron.ENTRY]``."""

    line: str = setting(..., "When: five fields as in crontab(5), or @daily and the like.", example="30 2 * * *")
    zone: str = setting("UTC", "Time zone of the line, IANA's name: Europe/Berlin.")
    queue: str = setting(..., "Queue of the jobs.", min_length=1, max_length=200, example="reports")
    body: Any = setting({}, "Body of the jobs, as JSON.")
    priority: int = setting(4, "Priority of the jobs.", ge=0, le=9)
    max_retries: int = setting(25, "How often a job is tried again after it has failed.", ge=0, le=1_000_000)
    tags: list[str] = setting([], "Tags of the jobs; 'cron' is one of them anyway.", max_length=20)
    catch_up: Literal["all", "last", "none"] = setting(
        "last", "Which slots that were missed while no hub ran are made up for: all, the last one for all, or none."
    )

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong with the line, the zone and the body."""
        try:
            CronSchedule(self.line, self.zone)
        except BadSchedule as error:
            yield f"{'zone' if error.field == 'zone' else 'line'}: {error}"
        except MissingExtra:
            pass  # 'hubbub check' names it
        try:
            template(self.queue, None, tags=self.tags)
            encoded(self.body, LARGEST_BODY)
        except BadJob as error:
            yield str(error)


class DatabaseSettings(Settings):
    """Settings of ``[jobs.NAME]``."""

    database: str = setting("sqlite:///jobs.db", database_url.HELP)
    password: SecretRef | None = setting(None, "The database's password: file:/path or credential:name.")
    lease: Duration = setting(
        "15s",
        "How long a hub may be silent until others have the jobs that it had in hand.",
        ge=LEAST_LEASE,
        le=86400,
    )
    timeout: Duration = setting(
        "30s",
        "How long PostgreSQL may take for an answer, before the hub shuts the connection and tries again.",
        ge=1.0,
        le=3600,
    )
    max_body: Size = setting("1MiB", "Largest body of a job that is inserted through this hub.", ge=1, le=LARGEST_BODY)
    keep_finished: Duration = setting("1d", "How long the exit status of a finished job is kept.")
    keep_dead: Duration = setting("180d", "How long a dead letter is kept.")
    keep_errors: Duration = setting("1w", "How long the errors of failed attempts are kept.")
    cron: dict[str, CronEntry] = setting(
        {}, "Cron entries, [jobs.NAME.cron.ENTRY]: jobs that are inserted when their time has come."
    )

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong with the database's URL, and with cron entries."""
        for name, entry in self.cron.items():
            if not NAME.fullmatch(name):
                yield f"cron: the name of an entry is of A-Z a-z 0-9 _ . -, 64 at most, not {name!r}"
            try:
                encoded(entry.body, self.max_body)
            except BadJob as error:
                yield f"cron.{name}: {error}"
        yield from database_url.contradictions(self.database, "jobs.db", mode=False)

    @property
    def driver(self) -> str:
        """Name of the URL's driver: ``pysqlite``, ``psycopg2`` or ``psycopg``."""
        return database_url.driver_of(self.database)

    def url(self, state_dir: Path) -> URL:
        """URL with its password, and an absolute file. :raises ConfigError: the password can't be read."""
        return database_url.complete(self.database, state_dir, self.password)
