"""What the subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from hub.configuration.loading import load
from hub.configuration.reach import reach
from hub.configuration.schema import Configuration
from hub.control.client import Client

Function = TypeVar("Function", bound=Callable[..., Any])


class ConfigReader:
    """Reads the configuration that the options of a command name. Called, all of it; see
    :func:`hub.configuration.loading.load`."""

    def __init__(self, path: Path | None, overrides: tuple[str, ...]) -> None:
        # A consumer may change the directory of a running hub, which reads its file anew.
        self._path = None if path is None else path.absolute()
        self._overrides = overrides

    def __call__(self) -> Configuration:
        """:raises ConfigError: with everything that is wrong."""
        configuration = load(self._path, self._overrides)
        self._path = configuration.file
        return configuration

    def socket(self, warn: bool = True) -> Path:
        """The running hub's control socket, whatever else is wrong.

        :param warn: say what made it hard to find.
        :raises ConfigError: see :func:`hub.configuration.reach.reach`.
        """
        found = reach(self._path, self._overrides)
        if found.problems and warn:
            click.echo(f"hubbub: {found.problems[0]}; the hub is looked for at {found.socket}", err=True)
        return found.socket


def config_option(function: Function) -> Function:
    """Add ``-c/--config`` and ``-s/--set``; the command is called with ``load_config``, a :class:`ConfigReader`.

    Reading is left to the command, so that one which needs a running hub can say that first.
    """

    @click.option(
        "-c",
        "--config",
        "path",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The configuration file [default: ./hub.conf, then /etc/hubbub/hub.conf].",
    )
    @click.option("-s", "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting.")
    @wraps(function)
    def command(*args: Any, path: Path | None, overrides: tuple[str, ...], **kwargs: Any) -> Any:
        return function(*args, load_config=ConfigReader(path, overrides), **kwargs)

    return command  # type: ignore[return-value]


json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


def client_of(load_config: ConfigReader) -> Client:
    """A client of the running hub's control socket; a mistake elsewhere in the file does not stand in the way."""
    return Client(load_config.socket())
