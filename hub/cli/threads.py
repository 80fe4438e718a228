"""``hubbub threads``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.document import json_text
from hub.cli.names import queues
from hub.cli.remote import Remote, row_of
from hub.cli.saying import none
from hub.text import printable
from hub.units import format_duration


@click.command()
@click.argument("name", required=False, shell_complete=queues)
@config_option
@json_option
@click.option("--stack", is_flag=True, help="With the stack of each.")
@click.option("--count", type=click.IntRange(1, 256), help="Have so many from now on.")
def threads(load_config: ConfigReader, name: str | None, as_json: bool, stack: bool, count: int | None) -> None:
    """Show what each thread of the consumer NAME handles, and for how long. Without NAME: of all consumers.

    What --count says holds until the hub is restarted or the settings of the consumer change.
    """
    remote = Remote(client_of(load_config))
    rows: dict[str, Any] = remote.status()["consumers"]
    if name is not None:
        rows = {name: row_of({"consumers": rows}, name)}
    if count is not None:
        if name is None:
            raise click.UsageError("--count needs the NAME of a consumer")
        remote.set_threads(name, count)
        rows = {name: remote.row(name)}
    shown = 0
    for consumer, row in rows.items():
        workers = remote.threads(consumer) if stack and row["state"] != "orphan" else row.get("workers") or []
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
    """``  5.0s  org.example.topic  ID``, or nothing where it is idle; not yet printable."""
    if worker["topic"] is None:
        return ""
    seconds = "-" if worker["seconds"] is None else format_duration(worker["seconds"])
    return f"  {seconds:>8}  {worker['topic']}  {worker['message_id']}"
