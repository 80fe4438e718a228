"""``hubbub reload``."""

from __future__ import annotations

import os

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.output import complain
from hub.control.client import Client
from hub.errors import ConfigError, OrderRefused
from hub.text import printable

PATIENCE = 60.0
"""Seconds that a reload may take beyond ``stop_timeout``, which consumers have for messages in flight."""


@click.command()
@config_option
@json_option
def reload(load_config: ConfigReader, as_json: bool) -> None:
    """Reload the configuration of the running hub, wait until it is done, and print the changes.

    An invalid file changes nothing: its problems are printed, and the exit code is 78. If a part can't start (an
    address is in use, say), that is printed and the exit code is 69; all other changes are in force.
    """
    client = Client(load_config.socket(warn=False), _stop_timeout(load_config) + PATIENCE)
    try:
        answer = client.post("/reload")
    except OrderRefused as refused:
        raise ConfigError(str(refused).splitlines()) from refused
    changes, problems = answer["changes"], answer["problems"]
    if as_json:
        click.echo(json_text(answer))
    elif changes or not problems:
        click.echo("\n".join(map(printable, changes)) or "no changes")
    if problems:
        complain(problems)
        raise click.exceptions.Exit(os.EX_UNAVAILABLE)


def _stop_timeout(load_config: ConfigReader) -> float:
    """The setting ``stop_timeout``, in seconds; 0 with an invalid file. The hub refuses that, and logs it."""
    try:
        return load_config().hub.stop_timeout
    except ConfigError:
        return 0.0
