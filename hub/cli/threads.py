"""``hubbub threads``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.names import queues
from hub.cli.output import none
from hub.cli.remote import Remote, row_of
from hub.text import printable
from hub.units import format_duration


@click.command()
@click.argument("name", required=False, shell_complete=queues)
@config_option
@json_option
@click.option("--stack", is_flag=True, help="Show the stack of each thread.")
@click.option("--count", type=click.IntRange(1, 256), help="Change the number of threads.")
def threads(load_config: ConfigReader, name: str | None, as_json: bool, stack: bool, count: int | None) -> None:
    """Show the threads of the consumer NAME: the message that each handles, and for how long. Without NAME, show the
    threads of all consumers.

    The number that --count sets applies until the hub restarts or the consumer's settings change.
    """
    if count is not None and name is None:
        raise click.UsageError("--count needs the NAME of a consumer")
    remote = Remote(client_of(load_config))
    rows: dict[str, Any]
    if count is not None:
        answer = remote.set_threads(str(name), count)
        rows = {str(name): {"state": answer["queue"]["state"], "workers": answer["workers"]}}
    else:
        rows = remote.status()["consumers"]
        rows = rows if name is None else {name: row_of({"consumers": rows}, name)}
    shown = 0
    for consumer, row in rows.items():
        workers = remote.threads(consumer) if stack and row["workers"] else row.get("workers") or []
        shown += len(workers)
        for line in _lines(consumer, workers, as_json):
            click.echo(line)
    if not shown:
        none("no threads", as_json)


def _lines(consumer: str, workers: list[dict[str, Any]], as_json: bool) -> Iterator[str]:
    for worker in workers:
        if as_json:
            yield json_text({"consumer": consumer, **worker})
            continue
        yield printable(f"{consumer:<20}  {worker['name']:<24}  {worker['state']:<7}{handled(worker)}")
        yield from (f"    {printable(line)}" for line in (worker.get("stack") or "").splitlines())


def handled(worker: dict[str, Any]) -> str:
    """The message of a thread: ``  5.0s  org.example.topic  ID``; empty for an idle one. May be unprintable."""
    if worker["topic"] is None:
        return ""
    seconds = "-" if worker["seconds"] is None else format_duration(worker["seconds"])
    return f"  {seconds:>8}  {worker['topic']}  {worker['message_id']}"
