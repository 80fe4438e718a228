"""``hubbub replay``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.names import queues
from hub.cli.saying import progress_bar, say, unstored
from hub.errors import Unavailable
from hub.text import counted
from hub.units import parse_duration


@click.command()
@click.argument("consumer", shell_complete=queues)
@config_option
@json_option
@click.option("--since", required=True, metavar="WHEN", help="How long ago, such as 2h, or a date and time (ISO 8601).")
@click.option("--until", metavar="WHEN", help="As --since. [default: now]")
@click.option("--topic", "topics", multiple=True, metavar="PATTERN", help="Only these. [default: the consumer's]")
@click.option("--dry-run", is_flag=True, help="Only count them.")
def replay(
    load_config: ConfigReader,
    consumer: str,
    as_json: bool,
    since: str,
    until: str | None,
    topics: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Give messages that the store still keeps to CONSUMER again, while the hub runs. How long it keeps them is 'keep'
    in [hub].

    Those that it has not settled yet are left out: they come anyway. That is not known of a queue in memory, nor of
    what an earlier replay or 'dead retry' gave to it: these come twice.
    """
    now = time.time()
    start, stop = when(since, now), when(until, now) if until else now
    order = {"consumer": consumer, "since": start, "until": stop, "topics": list(topics), "dry_run": dry_run}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    line: dict[str, Any] = {"replayed": 0}
    with progress_bar(columns, quiet=as_json) as progress:
        task = progress.add_task("", total=max(stop - start, 1e-9))
        for line in client_of(load_config).post_lines("/replay", order):
            if line["at"] is not None:
                progress.update(task, completed=line["at"] - start, description=counted(line["replayed"], "message"))
    if not line.get("done"):
        raise Unavailable(f"the hub went away after {counted(line['replayed'], 'message')}")
    counts = {key: line.get(key, 0) for key in ("replayed", "left_out", "not_taken")}
    say(as_json, {**counts, "dry_run": dry_run}, _told(consumer, counts, dry_run) + unstored(line.get("stored", True)))


def _told(consumer: str, counts: Mapping[str, int], dry_run: bool) -> str:
    given = "would be" if dry_run else "was" if counts["replayed"] == 1 else "were"
    text = f"{counted(counts['replayed'], 'message')} {given} given to {consumer} again"
    if counts["left_out"]:
        text += f"; left out, as it has not settled them yet: {counts['left_out']}"
    if counts["not_taken"]:
        text += f"; not taken, as its queue is full: {counts['not_taken']}"
    return text


def when(text: str, now: float) -> float:
    """Epoch seconds of ``2h`` (ago) or of ``2026-11-21T08:00``, local time if it says no other.

    :raises click.UsageError: it is neither.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as error:
        raise click.UsageError(f"expected an age such as 2h, or a date and time, not {text!r}") from error
