"""The database of ``hubbub job``: its option, its errors in the command's words, completion of its queues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.errors import ConfigError, MissingExtra, OrderRefused
from hub.text import printable, some_of

if TYPE_CHECKING:
    from hub.jobs import Jobs

Function = TypeVar("Function", bound=Callable[..., Any])
VARIABLE = "HUBBUB_JOBS"
"""Environment variable with the DSN: a password in it is not shown by ``ps``, as it is on a command line."""
COMPLETION_TIMEOUT = "2"
"""Seconds that completion waits for PostgreSQL: the terminal is blocked meanwhile. libpq takes no fewer."""
BATCH = 1000
"""Jobs that an order takes in one transaction."""


class JobsDatabase:
    """The database that a command's options name. :param dsn: as in :class:`hub.jobs.Jobs`."""

    def __init__(self, dsn: str | None) -> None:
        self._dsn = dsn

    @contextmanager
    def open(self, migrate: bool = False) -> Iterator[Jobs]:
        """Open it. :param migrate: make or migrate the tables if need be.

        :raises ConfigError: it can't be used. :raises click.UsageError: none is named, or what is inserted is wrong.
        :raises Unavailable: it is away, or busy.
        """
        from hub.jobs import BadDatabase, BadJob, Jobs

        if not self._dsn:
            raise click.UsageError(f"which database? Give --database DSN, or set {VARIABLE}")
        try:
            with Jobs(self._dsn, migrate=migrate) as jobs:
                yield jobs
        except (BadDatabase, MissingExtra) as error:
            raise ConfigError([str(error)]) from error
        except BadJob as error:
            raise click.UsageError(str(error)) from error


def database_option(function: Function) -> Function:
    """Add the option ``--database``. The command gets ``database``, a :class:`JobsDatabase`."""

    @click.option(
        "--database",
        metavar="DSN",
        envvar=VARIABLE,
        help=f"Where the jobs are: postgresql://user@host/name, or sqlite:////file [default: ${VARIABLE}].",
    )
    @wraps(function)
    def command(*args: Any, database: str | None, **kwargs: Any) -> Any:
        return function(*args, database=JobsDatabase(database), **kwargs)

    return command  # type: ignore[return-value]


def queue_argument(function: Any) -> Any:
    """Add the argument QUEUE, with shell completion."""
    return click.argument("queue", shell_complete=queue_names)(function)


def queue_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a queue; nothing if the database does not answer: a shell can't show errors."""
    import os

    from sqlalchemy import make_url

    from hub.jobs import Jobs

    try:
        url = make_url(context.params.get("database") or os.environ[VARIABLE])
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
