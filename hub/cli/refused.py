"""``hubbub refused``."""

from __future__ import annotations

from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.dead import letter_line, show_letter
from hub.cli.group import Group
from hub.cli.json_output import json_text
from hub.cli.names import backends
from hub.cli.remote import Remote
from hub.text import printable


@click.group(cls=Group)
def refused() -> None:
    """Refused messages: unusable ones, such as invalid JSON or too large. No consumer got them."""


@refused.command("list")
@click.argument("backend", default="", shell_complete=backends)
@config_option
@json_option
def list_(load_config: ConfigReader, backend: str, as_json: bool) -> None:
    """List the last refused messages of BACKEND, or of all backends, the oldest first."""
    found = Remote(client_of(load_config)).refused(backend)
    for message in found:
        click.echo(json_text(message) if as_json else _line(message))
    if not found and not as_json:
        click.echo("no refused messages", err=True)


@refused.command()
@click.argument("backend", shell_complete=backends)
@click.argument("number", type=int)
@config_option
@json_option
def show(load_config: ConfigReader, backend: str, number: int, as_json: bool) -> None:
    """Show one message that BACKEND refused: the reason, and the part that was kept."""
    found = Remote(client_of(load_config)).refused(backend, number)
    if not found:
        raise click.UsageError(f"{backend} has no refused message with the number {number}, or no longer keeps it")
    show_letter(found[0], as_json, ("number", "backend", "id", "topic", "reason"))


def _line(message: dict[str, Any]) -> str:
    return printable(f"{message['backend']}  ") + letter_line(message)
