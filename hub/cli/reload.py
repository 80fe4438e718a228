"""``hubbub reload``."""

from __future__ import annotations

from collections.abc import Callable

import click
import msgspec

from hub.cli.common import config_option, json_option
from hub.configuration.schema import Configuration
from hub.control.client import Client, Refused
from hub.errors import ConfigError, Unavailable
from hub.text import printable

PATIENCE = 60.0
"""Seconds that a reload may take beyond the time that consumers have for the messages in hand."""


@click.command()
@config_option
@json_option
def reload(load_config: Callable[[], Configuration], as_json: bool) -> None:
    """Have the running hub read its configuration again, wait until it is done, and say what changed.

    A bad file changes nothing: its problems are printed, and the exit code is 78. What could not be started, as for an
    address in use, is printed too, and the exit code is 69; the rest has changed.
    """
    configuration = load_config()
    client = Client(configuration.control_socket, configuration.hub.stop_timeout + PATIENCE)
    try:
        answer = client.post("/reload")
    except Refused as refused:
        raise ConfigError(str(refused).splitlines()) from refused
    changes, problems = answer["changes"], answer["problems"]
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
    elif changes or not problems:
        click.echo("\n".join(map(printable, changes)) or "nothing differs")
    if problems:
        raise Unavailable("\n".join(map(printable, problems)))
