"""``hubbub queue peek``, ``purge`` and ``delete``."""

from __future__ import annotations

import time
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.document import json_text
from hub.cli.moment import clock_time
from hub.cli.names import queue_argument
from hub.cli.remote import Remote
from hub.cli.saying import none, say, unstored
from hub.text import counted, printable


@click.command()
@queue_argument
@config_option
@json_option
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many at most.")
def peek(load_config: ConfigReader, name: str, as_json: bool, count: int) -> None:
    """Show the oldest messages of the queue NAME, those in hand too. They stay there."""
    remote = Remote(client_of(load_config))
    remote.row(name)
    now = time.time()
    rows = remote.peek(name, count)
    for row in rows:
        click.echo(json_text(row) if as_json else _message(row, now))
    if not rows:
        none("no messages", as_json)


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(load_config: ConfigReader, name: str, as_json: bool, yes: bool) -> None:
    """Drop all that waits in the queue NAME; what is in hand, or waits for a retry, stays."""
    remote = Remote(client_of(load_config))
    _ask(remote.row(name), f"Drop what waits for {name}", yes)
    answer = remote.purge(name)
    say(as_json, answer, f"{answer['purged']} dropped{unstored(remote.stored)}")


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(load_config: ConfigReader, name: str, as_json: bool, yes: bool) -> None:
    """Delete the queue NAME, which belongs to no consumer, with its dead letters."""
    client = client_of(load_config)
    _ask(Remote(client).row(name), f"Delete the queue {name}", yes)
    answer = client.post("/delete-queue", {"queue": name})
    say(as_json, answer, f"{printable(name)} is deleted{unstored(answer.get('stored', True))}")


def _ask(row: dict[str, Any], question: str, yes: bool) -> None:
    if not yes:
        click.confirm(printable(f"{question}, {counted(row['backlog'], 'message')}?"), abort=True, err=True)


def _message(row: dict[str, Any], now: float) -> str:
    tried = f", attempts {row['attempts']}" if row["attempts"] else ""
    head = f"{row['position']:>8}  {clock_time(row['received_at'], now)}  {row['state']}{tried}"
    return printable(f"{head}  {row['topic']}  {row['id']}  {row['body']}")
