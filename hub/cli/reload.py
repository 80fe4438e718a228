"""``hubbub reload``."""

from __future__ import annotations

import os

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.document import json_text
from hub.cli.saying import complain
from hub.control.client import Client, Refused
from hub.errors import ConfigError
from hub.text import printable

PATIENCE = 60.0
"""Seconds that a reload may take beyond the time that consumers have for the messages in hand."""


@click.command()
@config_option
@json_option
def reload(load_config: ConfigReader, as_json: bool) -> None:
    """Have the running hub read its configuration again, wait until it is done, and say what changed.

    A bad file changes nothing: its problems are printed, and the exit code is 78. What could not be started, as for an
    address in use, is printed too, and the exit code is 69; the rest has changed.
    """
    client = Client(load_config.socket(warn=False), _stop_timeout(load_config) + PATIENCE)
    try:
        answer = client.post("/reload")
    except Refused as refused:
        raise ConfigError(str(refused).splitlines()) from refused
    changes, problems = answer["changes"], answer["problems"]
    if as_json:
        click.echo(json_text(answer))
    elif changes or not problems:
        click.echo("\n".join(map(printable, changes)) or "nothing differs")
    if problems:
        complain(problems)
        raise click.exceptions.Exit(os.EX_UNAVAILABLE)


def _stop_timeout(load_config: ConfigReader) -> float:
    """Seconds. With a bad file: none. Refusing it is left to the hub, so that it is in its log and its audit log."""
    try:
        return load_config().hub.stop_timeout
    except ConfigError:
        return 0.0
