"""``hubbub job insert``."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from hub import jsontext
from hub.cli.common import json_option
from hub.cli.job.database import BATCH, JobsDatabase, check_new, database_option, queue_argument
from hub.cli.json_output import json_text
from hub.cli.output import say
from hub.cli.times import later
from hub.text import counted

if TYPE_CHECKING:
    from hub.jobs import Jobs


@click.command()
@queue_argument
@click.argument("body", default="")
@database_option
@json_option
@click.option(
    "--create", is_flag=True, help="QUEUE may be a new one. The first queue of a database is made without it."
)
@click.option("--lines", is_flag=True, help="Each line of standard input is the body of a job.")
@click.option("--after", metavar="WHEN", help="Run it after a delay such as 5m, or at 14:30 or 2026-11-21T08:00.")
@click.option("--priority", type=click.IntRange(0, 9), default=4, show_default=True, help="9 is the first.")
@click.option(
    "--max-retries", type=click.IntRange(min=0), default=25, show_default=True, help="Retries after a failure."
)
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="A word to find it by; can be repeated.")
@click.option("--coalesce", metavar="TEXT", help="Jobs with the same one may be claimed together.")
@click.option("--lock", metavar="TEXT", help="Jobs of the queue with the same one run one after another.")
@click.option("--key", metavar="KEY", help="Insert nothing while a job of the queue holds this key.")
@click.option(
    "--unique",
    type=click.Choice(["waiting", "unfinished", "unfinished-or-dead", "kept", "kept-or-dead"]),
    help="It holds its key until it is claimed; or has ended (unless you say so); or its exit status is pruned; with "
    "-or-dead as a dead letter, too.",
)
@click.option("--replace", is_flag=True, help="With --key: take the place of a job that waits, or is delayed.")
@click.option(
    "--debounce",
    "max_wait",
    metavar="LONGEST",
    help="With --key and --after: run it when no other has come with the key for that delay; at the latest after "
    "LONGEST, such as 10m.",
)
def insert(
    database: JobsDatabase,
    queue: str,
    body: str,
    as_json: bool,
    create: bool,
    lines: bool,
    after: str | None,
    key: str | None,
    replace: bool,
    max_wait: str | None,
    unique: str | None,
    **options: Any,
) -> None:
    """Insert a job into QUEUE, and print its number. The tables are made if there are none.

    A QUEUE that no job was ever inserted into, and that the configuration does not name, is refused as misspelt.

    BODY is JSON; any other text becomes a JSON string; "-" reads it from standard input.
    """
    if lines and (body or key is not None):
        raise click.UsageError("with --lines there is no BODY, and no --key")
    if not lines and not body:
        raise click.UsageError("Missing argument 'BODY'.")
    options |= _options_of_key(key, replace, unique, max_wait, after)
    with database.open(migrate=True) as jobs:
        if not create:
            check_new(jobs, queue, database.configured_queues())
        if lines:
            _insert_lines(jobs, queue, sys.stdin.buffer, as_json, options)
            return
        raw = sys.stdin.buffer.read() if body == "-" else body.encode("utf-8", "surrogateescape")
        conflict = "debounce" if max_wait is not None else "replace" if replace else "keep"
        handle = jobs.insert(queue, as_json_text(raw), key=key, conflict=conflict, **options)
    old = "it waits anew" if max_wait is not None else "nothing was inserted"
    text = str(handle.id) if handle.new else f"{handle.id} is there, with this key: {old}"
    say(as_json, {"queue": queue, "id": handle.id, "new": handle.new}, text)


def _options_of_key(
    key: str | None, replace: bool, unique: str | None, max_wait: str | None, after: str | None
) -> dict[str, Any]:
    """Options that need a key, and the time. :raises click.UsageError: they contradict each other."""
    if replace and key is None:
        raise click.UsageError("--replace is for a job with a --key")
    if max_wait is not None and (key is None or after is None or replace):
        raise click.UsageError("--debounce is for a job with a --key and a delay, --after, and not with --replace")
    if unique is not None and key is None:
        raise click.UsageError("--unique is for a job with a --key")
    options: dict[str, Any] = {} if unique is None else {"unique": unique}
    if max_wait is not None:
        return options | {"run_after": after, "max_wait": max_wait}
    if after is not None:
        try:
            options["run_after"] = datetime.fromtimestamp(later(after, time.time()), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise click.UsageError(f"--after is beyond all calendars: {after!r}") from error
    return options


def as_json_text(raw: bytes) -> bytes:
    """A text as it is if it is JSON, or else as a JSON string. :raises click.UsageError: it is not UTF-8."""
    text = raw.removesuffix(b"\n").removesuffix(b"\r")
    if jsontext.is_strict(text):
        return text
    try:
        return json_text(text.decode()).encode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"expected text in UTF-8: {error}") from error


def _insert_lines(jobs: Jobs, queue: str, source: Iterable[bytes], as_json: bool, options: dict[str, Any]) -> None:
    """Insert a job for each line that is not empty, in batches, each in one transaction."""
    from hub.jobs import BadJob

    inserted, last = 0, 0
    for batch in _batches(source):
        last = batch[-1][0]
        try:
            inserted += len(jobs.insert_many(queue, [_line(number, line) for number, line in batch], **options))
        except (BadJob, click.UsageError) as error:
            before = f"; {counted(inserted, 'job')} of the lines before were inserted" if inserted else ""
            raise click.UsageError(f"lines {batch[0][0]} to {last}: {error}{before}") from error
    say(as_json, {"queue": queue, "inserted": inserted}, f"{inserted} inserted")


def _line(number: int, line: bytes) -> bytes:
    try:
        return as_json_text(line)
    except click.UsageError as error:
        raise click.UsageError(f"line {number}: {error}") from error


def _batches(source: Iterable[bytes]) -> Iterator[Sequence[tuple[int, bytes]]]:
    numbered = ((number, line) for number, line in enumerate(source, 1) if line.strip())
    while batch := list(itertools.islice(numbered, BATCH)):
        yield batch
