"""``hubbub outbox``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option, yes_option
from hub.cli.group import Group
from hub.cli.json_output import json_text
from hub.cli.names import complete
from hub.cli.output import confirm, none, say, unstored
from hub.cli.remote import Remote
from hub.errors import Unavailable
from hub.text import counted, printable
from hub.units import format_duration


@click.group(cls=Group)
def outbox() -> None:
    """Outgoing messages: what consumers published, until the bus has confirmed it."""


@outbox.command("list")
@config_option
@json_option
def list_(load_config: ConfigReader, as_json: bool) -> None:
    """List the backends that messages wait for, also those that are not configured any more."""
    rows = list(waiting(Remote(client_of(load_config)).status()))
    for row in rows:
        click.echo(json_text(row) if as_json else _line(row))
    if not rows:
        none("no messages", as_json)


def waiting(status: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each backend with waiting messages, from the status. ``removed``: it is not configured any more."""
    for name, row in status["backends"].items():
        if count := row.get("outbox_waiting"):
            facts = {key: row.get(f"outbox_{key}") for key in ("state", "oldest_age", "error")}
            yield {"backend": name, "waiting": count, "removed": False, **facts}
    for name, count in status["hub"].get("outboxes_without_backend", {}).items():
        yield {"backend": name, "waiting": count, "removed": True}


def _line(row: Mapping[str, Any]) -> str:
    text = f"{row['backend']:<24}{row['waiting']:>10} waiting"
    if row["removed"]:
        return printable(f"{text}, the backend is not configured any more")
    age = "" if row["oldest_age"] is None else f", the oldest for {format_duration(row['oldest_age'])}"
    error = f": {row['error']}" if row["error"] else ""
    return printable(f"{text}{age}, {row['state']}{error}")


def _removed(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a removed backend."""
    return complete(context, incomplete, lambda client: client.get("/status")["hub"]["outboxes_without_backend"])


@outbox.command()
@click.argument("backend", shell_complete=_removed)
@config_option
@json_option
@yes_option
def drop(load_config: ConfigReader, backend: str, as_json: bool, yes: bool) -> None:
    """Drop all messages that wait for BACKEND, which must not be configured any more."""
    remote = Remote(client_of(load_config))
    if not yes and (count := remote.status()["hub"]["outboxes_without_backend"].get(backend)):
        confirm(f"Drop all messages for {backend}, {counted(count, 'message')}?", yes)
    answer = remote.drop_outbox(backend)
    if answer.get("problem"):
        raise Unavailable(printable(answer["problem"]))
    say(as_json, answer, f"{answer['dropped']} dropped{unstored(remote.stored)}")
