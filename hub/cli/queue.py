"""``hubbub queue``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from hub.cli.common import client_of, config_option, json_option
from hub.configuration.schema import Configuration
from hub.text import printable
from hub.units import format_duration


@click.group()
def queue() -> None:
    """Queues, those that belong to no consumer any more too."""


@queue.command("list")
@config_option
@json_option
def list_(load_config: Callable[[], Configuration], as_json: bool) -> None:
    """List all queues."""
    for name, row in client_of(load_config).get("/status")["consumers"].items():
        click.echo(msgspec.json.encode({"queue": name, **row}).decode() if as_json else _line(name, row))


@queue.command()
@click.argument("name")
@config_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(load_config: Callable[[], Configuration], name: str, as_json: bool, yes: bool) -> None:
    """Delete the queue NAME, which belongs to no consumer, with its dead letters."""
    client = client_of(load_config)
    _ask(client.get("/status")["consumers"].get(name), f"Delete the queue {name}", yes)
    answer = client.post("/delete-queue", {"queue": name})
    click.echo(msgspec.json.encode(answer).decode() if as_json else f"{name} is deleted")


@queue.command()
@click.argument("name")
@config_option
@json_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(load_config: Callable[[], Configuration], name: str, as_json: bool, yes: bool) -> None:
    """Drop all that waits in the queue NAME; what is in hand, or waits for a retry, stays."""
    client = client_of(load_config)
    _ask(client.get("/status")["consumers"].get(name), f"Drop what waits for {name}", yes)
    answer = client.post("/purge-queue", {"queue": name})
    click.echo(msgspec.json.encode(answer).decode() if as_json else f"{answer['purged']} dropped")


def _ask(row: dict[str, Any] | None, question: str, yes: bool) -> None:
    if row is not None and not yes:
        click.confirm(f"{question}, {row['backlog']} messages?", abort=True, err=True)


def _line(name: str, row: dict[str, Any]) -> str:
    age = "" if row["oldest_age"] is None else f", the oldest for {format_duration(row['oldest_age'])}"
    return printable(f"{name:<24}{row['state']:<12}{row['backlog']:>10} waiting, {row['dead']} dead{age}")
