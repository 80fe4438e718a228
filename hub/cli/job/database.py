"""The database of ``hubbub job``: its options, its errors in the command's words, completion of its queues."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.cli.common import ConfigReader, config_option
from hub.configuration.locate import DEFAULT_FILES
from hub.errors import ConfigError, MissingExtra, OrderRefused
from hub.text import printable, some_of

if TYPE_CHECKING:
    from sqlalchemy import URL

    from hub.configuration.schema import Configuration, Part
    from hub.jobs import Jobs

Function = TypeVar("Function", bound=Callable[..., Any])
VARIABLE = "HUBBUB_JOBS"
"""Environment variable with the DSN: a password in it is not shown by ``ps``, as it is on a command line."""
COMPLETION_TIMEOUT = "2"
"""Seconds that completion waits for PostgreSQL: the terminal is blocked meanwhile. libpq takes no fewer."""
BATCH = 1000
"""Jobs that an order takes in one transaction."""


class JobsDatabase:
    """The database that a command's options name, or the environment, or the configuration, in this order.

    :param dsn: as in :class:`hub.jobs.Jobs`. :param part: name of a part ``[jobs.NAME]``; ``None``: the only one.
    :param configured: whether an option names the configuration, or overrides a setting.
    """

    def __init__(self, dsn: str | None, part: str | None, load_config: ConfigReader, configured: bool) -> None:
        self._dsn = dsn or (None if configured or part is not None else os.environ.get(VARIABLE)) or None
        self._part = part
        self._load_config = load_config
        self._configured = configured

    @contextmanager
    def open(self, migrate: bool = False) -> Iterator[Jobs]:
        """Open it. :param migrate: make or migrate the tables if need be.

        :raises ConfigError: it can't be used. :raises click.UsageError: none is named, or what is inserted is wrong.
        :raises Unavailable: it is away, or busy.
        """
        from hub.jobs import BadDatabase, BadJob, Jobs

        dsn, options = self.place()
        try:
            with Jobs(dsn, migrate=migrate, **options) as jobs:
                yield jobs
        except (BadDatabase, MissingExtra) as error:
            raise ConfigError([str(error)]) from error
        except BadJob as error:
            raise click.UsageError(str(error)) from error

    def configured_queues(self) -> set[str]:
        """Queues that the configuration names for consumers, clients and cron entries, if it names the database."""
        if self._dsn is not None:
            return set()
        configuration = self._load_config()
        return set(_queues_of(configuration, _chosen(configuration.of("jobs"), self._part)))

    def place(self) -> tuple[str | URL, dict[str, Any]]:
        """The DSN, and options of :class:`hub.jobs.Jobs`."""
        if self._dsn is not None:
            return self._dsn, {}
        if not self._configured and not any(map(os.path.lexists, DEFAULT_FILES)):
            raise click.UsageError(f"which database? Give --database DSN, set {VARIABLE}, or --config FILE")
        return _place_of(self._load_config(), self._part)


def _place_of(configuration: Configuration, name: str | None) -> tuple[URL, dict[str, Any]]:
    """The same of a part. Root becomes the owner of SQLite's file: the hub's user works in its directory, too."""
    from hub.job_database.settings import DatabaseSettings
    from hub.statefiles import database_as_owner

    part = _chosen(configuration.of("jobs"), name)
    config = part.config
    if not isinstance(config, DatabaseSettings):
        raise ConfigError([f"[jobs.{part.name}] is of another type than database: give --database DSN"])
    url = config.url(configuration.state_dir)
    if url.get_backend_name() == "sqlite":
        url = url.set(database=str(database_as_owner(Path(str(url.database)))))
    return url, {"max_body": config.max_body}


def _queues_of(configuration: Configuration, database: Part) -> Iterator[str]:
    """Queues that the configuration names, of one database."""
    mine = (None, True, database.name)
    for part in configuration.of("consumers").values():
        if part.settings.queue is not None and part.settings.jobs in mine:
            yield part.settings.queue
    for part in configuration.of("backends").values():
        for name, queue in getattr(part.config, "queues", {}).items():
            if getattr(queue, "jobs", False) in mine:
                yield name
    for entry in getattr(database.config, "cron", {}).values():
        yield entry.queue


def _chosen(parts: Mapping[str, Part], name: str | None) -> Part:
    if name is not None and name not in parts:
        raise ConfigError([f"there is no [jobs.{name}]; there are: {some_of(parts)}"])
    if name is None and len(parts) != 1:
        several = f"several databases of jobs, {some_of(parts)}: give --jobs NAME"
        raise ConfigError([f"the configuration has {several if parts else 'no [jobs.NAME]: give --database DSN'}"])
    return parts[name] if name is not None else next(iter(parts.values()))


def database_option(function: Function) -> Function:
    """Add the options that name the database. The command gets ``database``, a :class:`JobsDatabase`."""

    @config_option
    @click.option("--jobs", "part", metavar="NAME", help="The database that [jobs.NAME] names [default: the only one].")
    @click.option(
        "--database",
        metavar="DSN",
        help="The database: postgresql://user@host/name, or sqlite:////file "
        f"[default: ${VARIABLE}, then the configuration's].",
    )
    @wraps(function)
    def command(*args: Any, load_config: ConfigReader, database: str | None, part: str | None, **kwargs: Any) -> Any:
        if database and part is not None:
            raise click.UsageError("give --database or --jobs, not both")
        given = click.get_current_context().params
        configured = bool(given.get("path") or given.get("overrides"))
        return function(*args, database=JobsDatabase(database, part, load_config, configured), **kwargs)

    return command  # type: ignore[return-value]


def queue_argument(function: Any) -> Any:
    """Add the argument QUEUE, with shell completion."""
    return click.argument("queue", shell_complete=queue_names)(function)


def queue_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a queue; nothing if the database does not answer: a shell can't show errors."""
    from sqlalchemy import make_url

    from hub.jobs import Jobs

    given = context.params
    path, overrides = given.get("path"), given.get("overrides") or ()
    reader = ConfigReader(path and path.expanduser(), overrides)
    try:
        dsn, _options = JobsDatabase(given.get("database"), given.get("part"), reader, bool(path or overrides)).place()
        url = make_url(dsn)
        if url.get_backend_name() == "postgresql":
            url = url.update_query_dict({"connect_timeout": COMPLETION_TIMEOUT})
        with Jobs(url, migrate=False) as jobs:
            names = jobs.queue_names()
    except Exception:  # noqa: BLE001 - a failed completion offers nothing
        return []
    return [name for name in names if name.startswith(incomplete) and name.isprintable()]


def check_queue(jobs: Jobs, queue: str) -> None:
    """Pass the name of a queue that has had a job, or is paused. :raises OrderRefused: there is none of that name."""
    names = jobs.queue_names()
    if queue not in names:
        raise OrderRefused(printable(f"no queue is called {queue!r}: there are {some_of(names)}"))


def check_new(jobs: Jobs, queue: str, configured: Collection[str]) -> None:
    """Pass the name of a queue to insert into: one that has had a job, or is paused, or configured; any, where there is
    none yet. :raises OrderRefused: it may be misspelt."""
    names = sorted({*jobs.queue_names(), *configured})
    if names and queue not in names:
        near = get_close_matches(queue, names, 1)
        there = f"did you mean {near[0]!r}?" if near else f"there are {some_of(names)}."
        raise OrderRefused(printable(f"no queue is called {queue!r}: {there} --create makes a new one"))


def in_batches(order: Callable[[int], int], most: int | None) -> int:
    """Give an order until it finds no more jobs. Returns how many it found.

    :param order: takes up to so many jobs, and returns how many it took. :param most: stop after these.
    """
    done = 0
    while most is None or done < most:
        limit = BATCH if most is None else min(BATCH, most - done)
        found = order(limit)
        done += found
        if found < limit:
            break
    return done
