"""``hubbub job errors``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from hub.cli.common import json_option
from hub.cli.job.database import JobsDatabase, check_queue, database_option, queue_names
from hub.cli.json_output import json_text
from hub.cli.output import none
from hub.cli.times import clock_time
from hub.text import printable

if TYPE_CHECKING:
    from hub.jobs import JobError, Jobs

POLL_EVERY = 1.0
"""Seconds between two looks of ``--follow``."""
LATE = 60.0
"""Seconds after its moment at which an error may still appear: its transaction began then, and commits later."""
MOST_AT_ONCE = 1000


@click.command()
@click.argument("queue", required=False, shell_complete=queue_names)
@database_option
@json_option
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="Number of errors.")
@click.option("--follow", "-f", is_flag=True, help="Then show further ones as they come, until Ctrl-C.")
@click.option("--traceback", is_flag=True, help="Show the whole text of each, not its last line alone.")
def errors(database: JobsDatabase, queue: str | None, as_json: bool, last: int, follow: bool, traceback: bool) -> None:
    """Show the newest errors of jobs of QUEUE, or of all, the oldest first. 'hubbub job show' has those of one job."""
    with database.open() as jobs:
        found = jobs.recent_errors(queue, MOST_AT_ONCE)
        if queue is not None and not found:
            check_queue(jobs, queue)
        for error in found[-last:]:
            click.echo(_shown(error, as_json, traceback))
        if not found and not follow:
            none("no errors", as_json)
        for error in further(jobs, queue, found, time.sleep, _tell_left_out) if follow else ():
            click.echo(_shown(error, as_json, traceback))


def _tell_left_out() -> None:
    click.echo(f"more than {MOST_AT_ONCE} errors in a second: the newest of them follow, others are left out", err=True)


def further(
    jobs: Jobs,
    queue: str | None,
    found: list[JobError],
    wait: Callable[[float], object],
    left_out: Callable[[], object],
) -> Iterator[JobError]:
    """Errors that come after those that were found, without end.

    :param found: the newest, of which some may not have been shown. :param wait: sleeps, between two looks.
    :param left_out: called before errors between which and the last look others may have come.
    """
    seen = set(found)
    newest = found[-1].at if found else 0.0
    while True:
        wait(POLL_EVERY)
        read = jobs.recent_errors(queue, MOST_AT_ONCE, newest - LATE)
        new = [error for error in read if error not in seen]
        if len(new) == MOST_AT_ONCE:
            left_out()
        yield from new
        newest = max([newest, *(error.at for error in new)])
        seen = {error for error in (*seen, *new) if error.at >= newest - LATE}


def row_of_error(error: JobError) -> dict[str, Any]:
    """An error for programs."""
    return {"queue": error.queue, "job": error.job, "attempt": error.attempt, "at": error.at, "error": error.text}


def _shown(error: JobError, as_json: bool, traceback: bool) -> str:
    if as_json:
        return json_text(row_of_error(error))
    lines = error.text.splitlines() or [""]
    head = f"{clock_time(error.at, time.time())}  {error.queue}  job {error.job}, attempt {error.attempt}: {lines[-1]}"
    rest = "".join(f"\n    {printable(line)}" for line in lines) if traceback and len(lines) > 1 else ""
    return printable(head) + rest
