"""``hubbub reload``."""

from __future__ import annotations

from collections.abc import Callable

import click
import msgspec

from hub.cli.common import client_of, config_option, json_option
from hub.client import Refused
from hub.configuration.schema import Configuration
from hub.errors import ConfigError


@click.command()
@config_option
@json_option
def reload(load_config: Callable[[], Configuration], as_json: bool) -> None:
    """Have the running hub read its configuration again, and say what changed.

    A bad file changes nothing: its problems are printed, and the exit code is 78.
    """
    try:
        answer = client_of(load_config).post("/reload")
    except Refused as refused:
        raise ConfigError(str(refused).splitlines()) from refused
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
    else:
        click.echo("\n".join(answer["changes"] or ["nothing differs"]))
