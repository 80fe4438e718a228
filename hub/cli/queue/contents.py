"""``hubbub queue peek``, ``purge`` and ``delete``."""

from __future__ import annotations

import time
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option, yes_option
from hub.cli.json_output import json_text
from hub.cli.names import queue_argument
from hub.cli.output import confirm, none, say, unstored
from hub.cli.remote import Remote
from hub.cli.times import clock_time
from hub.text import counted, printable


@click.command()
@queue_argument
@config_option
@json_option
@click.option("-n", "--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="Number of messages.")
def peek(load_config: ConfigReader, name: str, as_json: bool, count: int) -> None:
    """Show the oldest messages of the queue NAME, those in flight included. They stay in the queue."""
    remote = Remote(client_of(load_config))
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
@yes_option
def purge(load_config: ConfigReader, name: str, as_json: bool, yes: bool) -> None:
    """Purge the queue NAME: drop all waiting messages. Messages in flight stay, and of a consumer those that wait for a
    retry."""
    remote = Remote(client_of(load_config))
    _ask(remote, name, f"Drop all waiting messages of {name}", yes)
    answer = remote.purge(name)
    say(as_json, answer, f"{answer['purged']} dropped{unstored(remote.stored)}")


@click.command()
@queue_argument
@config_option
@json_option
@yes_option
def delete(load_config: ConfigReader, name: str, as_json: bool, yes: bool) -> None:
    """Delete the queue NAME and its dead letters. It must be an orphan, which no configured consumer uses, or declared
    by a backend, whose clients are told."""
    client = client_of(load_config)
    _ask(Remote(client), name, f"Delete the queue {name}", yes)
    answer = client.post("/delete-queue", {"queue": name})
    say(as_json, answer, f"{printable(name)} is deleted{unstored(answer.get('stored', True))}")


def _ask(remote: Remote, name: str, question: str, yes: bool) -> None:
    if not yes:
        confirm(f"{question}, {counted(remote.row(name)['backlog'], 'message')}?", yes)


def _message(row: dict[str, Any], now: float) -> str:
    tried = f", attempts {row['attempts']}" if row["attempts"] else ""
    head = f"{row['position']:>8}  {clock_time(row['received_at'], now)}  {row['state']}{tried}"
    return printable(f"{head}  {row['topic']}  {row['id']}  {row['body']}")
