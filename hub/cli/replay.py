"""``hubbub replay``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.names import queues
from hub.cli.output import say, unstored
from hub.cli.progress import progress_bar
from hub.cli.times import earlier
from hub.errors import Unavailable
from hub.text import counted


@click.command()
@click.argument("consumer", shell_complete=queues)
@config_option
@json_option
@click.option("--since", required=True, metavar="WHEN", help="Start: an age such as 2h, or a date and time (ISO 8601).")
@click.option("--until", metavar="WHEN", help="End, in the same form. [default: now]")
@click.option(
    "--topic", "topics", multiple=True, metavar="PATTERN", help="Only these topics. [default: the consumer's]"
)
@click.option("--dry-run", is_flag=True, help="Only count the messages.")
def replay(
    load_config: ConfigReader,
    consumer: str,
    as_json: bool,
    since: str,
    until: str | None,
    topics: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Replay stored messages to CONSUMER, while the hub runs. The setting 'keep' in [hub] says how long the store keeps
    messages.

    Messages that CONSUMER has not settled yet are left out: it gets them anyway. Two kinds can come twice: messages of
    a queue in memory, and messages that an earlier replay or 'dead retry' added.
    """
    now = time.time()
    start, stop = earlier(since, now), earlier(until, now) if until else now
    order = {"consumer": consumer, "since": start, "until": stop, "topics": list(topics), "dry_run": dry_run}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    line: dict[str, Any] = {"replayed": 0}
    with progress_bar(columns, quiet=as_json) as progress:
        task = progress.add_task("", total=max(stop - start, 1e-9))
        for line in client_of(load_config).post_lines("/replay", order):
            if line["at"] is not None:
                progress.update(task, completed=line["at"] - start, description=counted(line["replayed"], "message"))
    if not line.get("done"):
        raise Unavailable(f"the hub closed the connection after {counted(line['replayed'], 'message')}")
    counts = {key: line.get(key, 0) for key in ("replayed", "left_out", "not_taken")}
    say(as_json, {**counts, "dry_run": dry_run}, _told(consumer, counts, dry_run) + unstored(line.get("stored", True)))


def _told(consumer: str, counts: Mapping[str, int], dry_run: bool) -> str:
    given = "would be" if dry_run else "was" if counts["replayed"] == 1 else "were"
    text = f"{counted(counts['replayed'], 'message')} {given} given to {consumer} again"
    if counts["left_out"]:
        text += f"; left out, not settled yet: {counts['left_out']}"
    if counts["not_taken"]:
        text += f"; not taken, the queue is full: {counts['not_taken']}"
    return text
