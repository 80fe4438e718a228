"""``hubbub job retry``, ``cancel``, ``kick``, ``purge``, ``pause`` and ``resume``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from hub.cli.common import json_option, yes_option
from hub.cli.job.database import JobsDatabase, check_queue, database_option, in_batches, queue_argument
from hub.cli.output import confirm, retried, say
from hub.text import counted, printable

if TYPE_CHECKING:
    from hub.jobs import Jobs, JobState

STATES = ("waiting", "delayed", "dead")


@click.command()
@queue_argument
@database_option
@json_option
@click.option("--number", "numbers", type=int, multiple=True, help="The job with this number; can be repeated.")
@click.option("--error", metavar="TEXT", default="", help="Jobs whose reason contains TEXT.")
@click.option("-n", "--count", type=click.IntRange(min=1), help="The oldest, up to this number.")
def retry(
    database: JobsDatabase, queue: str, as_json: bool, numbers: tuple[int, ...], error: str, count: int | None
) -> None:
    """Retry dead letters of QUEUE: they wait again, with all their attempts. Without options: all that there are."""
    with database.open() as jobs:
        check_queue(jobs, queue)
        dead = _count(jobs, queue, "dead")
        most = dead if count is None else min(count, dead)  # not those that die again meanwhile
        chosen = numbers or None
        done = in_batches(partial(jobs.retry_dead, queue, jobs=chosen, error=error), most)
    say(as_json, {"queue": queue, "retried": done}, retried(done))


@click.command()
@click.argument("numbers", metavar="JOB...", nargs=-1, required=True, type=click.IntRange(min=1))
@database_option
@json_option
def cancel(database: JobsDatabase, numbers: tuple[int, ...], as_json: bool) -> None:
    """Cancel jobs by their numbers: one that waits is never run, one that runs is not tried again, and its process is
    told; a dead letter is deleted."""
    missing = []
    with database.open() as jobs:
        for number in numbers:
            state = jobs.cancel(number)
            if state is None:
                missing.append(number)
            else:
                say(as_json, {"id": number, "state": state.value}, f"{number} {_cancelled(state)}")
    if missing:
        raise click.UsageError(f"there is no job {', '.join(map(str, missing))}, or it has ended")


def _cancelled(state: JobState) -> str:
    if state == "running":
        return "runs: its process is told, and it is not tried again"
    return "was a dead letter, and is deleted" if state == "dead" else f"was {state.value}, and is cancelled"


@click.command()
@queue_argument
@database_option
@json_option
@click.option("-n", "--count", type=click.IntRange(min=1), help="The earliest, up to this number [default: all].")
def kick(database: JobsDatabase, queue: str, as_json: bool, count: int | None) -> None:
    """Make delayed jobs of QUEUE due now, those that wait for a retry included."""
    with database.open() as jobs:
        check_queue(jobs, queue)
        done = in_batches(partial(jobs.kick, queue), count)
    say(as_json, {"queue": queue, "kicked": done}, f"{done} {'is' if done == 1 else 'are'} due now")


@click.command()
@queue_argument
@database_option
@json_option
@yes_option
@click.option(
    "--state",
    "states",
    type=click.Choice(STATES),
    multiple=True,
    default=["waiting"],
    show_default=True,
    help="The state of the jobs; can be repeated.",
)
def purge(database: JobsDatabase, queue: str, as_json: bool, yes: bool, states: tuple[str, ...]) -> None:
    """Purge QUEUE: drop all jobs that wait, or are in another --state. Jobs that run stay."""
    chosen = [state for state in STATES if state in states]
    with database.open() as jobs:
        check_queue(jobs, queue)
        there = {state: _count(jobs, queue, state) for state in chosen}
        confirm(f"Drop all {' and '.join(chosen)} jobs of {queue}, {counted(sum(there.values()), 'job')}?", yes)
        done = sum(in_batches(partial(jobs.purge, queue, state), there[state]) for state in chosen)
    say(as_json, {"queue": queue, "purged": done}, f"{done} dropped")


@click.command()
@queue_argument
@database_option
@json_option
@click.option("--reason", default="", metavar="TEXT", help="Why, for others who look at the queue.")
def pause(database: JobsDatabase, queue: str, as_json: bool, reason: str) -> None:
    """Pause QUEUE: nobody claims its jobs, until 'hubbub job resume QUEUE'. Jobs that run are not stopped."""
    with database.open() as jobs:
        check_queue(jobs, queue)
        jobs.pause(queue, reason)
        _say_state(jobs, queue, as_json)


@click.command()
@queue_argument
@database_option
@json_option
def resume(database: JobsDatabase, queue: str, as_json: bool) -> None:
    """Resume QUEUE after a pause."""
    with database.open() as jobs:
        check_queue(jobs, queue)
        jobs.resume(queue)
        _say_state(jobs, queue, as_json)


def _say_state(jobs: Jobs, queue: str, as_json: bool) -> None:
    counts = jobs.counts().get(queue)
    waiting, paused = (0, False) if counts is None else (counts.waiting, counts.paused)
    text = f"{queue} is {'paused' if paused else 'not paused'}, {counted(waiting, 'job')} wait{'s' * (waiting == 1)}"
    say(as_json, {"queue": queue, "paused": paused, "waiting": waiting}, printable(text))


def _count(jobs: Jobs, queue: str, state: str) -> int:
    counts = jobs.counts().get(queue)
    return 0 if counts is None else int(getattr(counts, state))
