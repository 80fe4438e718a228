"""``hubbub job peek`` and ``show``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from hub import jsontext
from hub.cli.common import json_option
from hub.cli.job.database import JobsDatabase, check_queue, database_option, queue_argument
from hub.cli.job.errors import row_of_error
from hub.cli.json_output import json_text
from hub.cli.output import none
from hub.cli.times import clock_time
from hub.text import printable

if TYPE_CHECKING:
    from hub.jobs import Job, JobError, JobStatus

WIDTH = 16


@click.command()
@queue_argument
@database_option
@json_option
@click.option(
    "--state",
    type=click.Choice(["waiting", "delayed", "dead"]),
    default="waiting",
    show_default=True,
    help="The state of the jobs.",
)
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="Jobs that have this tag; can be repeated.")
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="Number of jobs.")
def peek(database: JobsDatabase, queue: str, as_json: bool, state: str, tags: tuple[str, ...], count: int) -> None:
    """Show the first jobs of QUEUE, in the order in which they are claimed, come due or died. They stay where they
    are."""
    with database.open() as jobs:
        found = jobs.peek(queue, state, count, tags)
        if not found:
            check_queue(jobs, queue)
    for job in found:
        click.echo(json_text({**row_of_job(job), "state": state}) if as_json else _line(job, time.time()))
    if not found:
        none(f"no {state} jobs", as_json)


@click.command()
@click.argument("number", metavar="JOB", type=click.IntRange(min=1))
@database_option
@json_option
def show(database: JobsDatabase, number: int, as_json: bool) -> None:
    """Show the job with the number JOB: its state, its body, and the error of each attempt."""
    with database.open() as jobs:
        status, job, errors = jobs.find(number), jobs.read(number), jobs.errors(number)
    if status is None:
        raise click.UsageError(f"there is no job {number}, or its exit status is pruned")
    if as_json:
        row = {} if job is None else row_of_job(job)
        click.echo(
            json_text({**row, **_row_of_status(status), "errors": list(map(row_of_error, errors))}, indented=True)
        )
        return
    for title, value in described(status, job, time.time()):
        click.echo(printable(f"{title + ':':<{WIDTH}}{value}"))
    for line in _told(errors, time.time()):
        click.echo(line)


def row_of_job(job: Job) -> dict[str, Any]:
    """A job for programs. The body is decoded if it is JSON, and a text otherwise."""
    body = job.json() if jsontext.is_strict(job.body) else text_of(job.body)
    return {
        "queue": job.queue,
        "id": job.id,
        "priority": job.priority,
        "attempt": job.attempt,
        "max_retries": job.max_retries,
        "created_at": job.created,
        "key": job.key,
        "tags": list(job.tags),
        "coalesce": job.coalesce,
        "lock": job.lock,
        "reason": job.reason,
        "body": body,
    }


def text_of(body: bytes) -> str:
    """A body for people."""
    return body.decode("utf-8", "replace")


def _row_of_status(status: JobStatus) -> dict[str, Any]:
    return {
        "queue": status.queue,
        "id": status.id,
        "state": status.state.value,
        "attempts": status.attempts,
        "status": status.status,
        "result": status.result,
        "progress": status.progress,
        "progress_text": status.progress_text,
        "due_at": status.due,
        "ended_at": status.ended,
    }


def _line(job: Job, now: float) -> str:
    tried = f", attempts {job.attempt - 1}" if job.attempt > 1 else ""
    key = f"  key {job.key}" if job.key is not None else ""
    tags = f"  tags {' '.join(job.tags)}" if job.tags else ""
    reason = f"  {job.reason.splitlines()[-1]}" if job.reason else ""
    head = f"{job.id:>8}  {clock_time(job.created, now)}  priority {job.priority}{tried}{key}{tags}{reason}"
    return printable(f"{head}  {text_of(job.body)}")


def described(status: JobStatus, job: Job | None, now: float) -> Iterator[tuple[str, str]]:
    """A job for people: titles and values, which may be unprintable."""
    yield "job", str(status.id)
    yield "queue", status.queue
    yield "state", status.state.value
    most = "" if job is None else f" of {job.max_retries + 1}"
    yield "attempts", f"{status.attempts}{most}"
    if status.status is not None:
        yield "exit status", str(status.status)
    if status.result is not None:
        yield "result", json_text(status.result)
    if status.progress is not None:
        yield "progress", f"{status.progress:.0%} {status.progress_text}".strip()
    if job is not None:
        yield "priority", str(job.priority)
        yield "inserted", clock_time(job.created, now)
    if status.due is not None:
        yield "due", clock_time(status.due, now)
    if status.ended is not None:
        yield "ended", clock_time(status.ended, now)
    if job is not None:
        words = {"key": job.key, "tags": " ".join(job.tags), "coalesce": job.coalesce, "lock": job.lock}
        yield from ((name, value) for name, value in words.items() if value)
        yield "body", text_of(job.body)


def _told(errors: list[JobError], now: float) -> Iterator[str]:
    for error in errors:
        yield f"{'error:':<{WIDTH}}{clock_time(error.at, now)}, attempt {error.attempt}"
        yield from (f"    {printable(line)}" for line in error.text.splitlines())
