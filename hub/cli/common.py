"""Options that the subcommands share. Modules that only some subcommands need are imported in the functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hub.configuration.locate import locate

if TYPE_CHECKING:
    from hub.configuration.schema import Configuration
    from hub.control.client import Client

Function = TypeVar("Function", bound=Callable[..., Any])


class ConfigReader:
    """Reader of the configuration that a command's options name. Calling it loads the whole configuration, see
    :func:`hub.configuration.loading.load`."""

    def __init__(self, path: Path | None, overrides: tuple[str, ...]) -> None:
        # A consumer may change the working directory of a running hub, which reads its file again at a reload.
        self._path = None if path is None else path.absolute()
        self._overrides = overrides

    def __call__(self) -> Configuration:
        """Load the configuration. :raises ConfigError: it lists every problem."""
        from hub.configuration.loading import load

        configuration = load(self._path, self._overrides)
        self._path = configuration.file
        return configuration

    def socket(self, warn: bool = True) -> Path:
        """The path of the running hub's control socket, even if the rest of the configuration is invalid.

        :param warn: report a problem that was met on the way.
        :raises ConfigError: see :func:`hub.configuration.locate.locate`.
        """
        found = locate(self._path, self._overrides)
        if found.problems and warn:
            click.echo(f"hubbub: {found.problems[0]}; using the control socket {found.socket}", err=True)
        return found.socket


def config_option(function: Function) -> Function:
    """Add the options ``-c/--config`` and ``-s/--set``. The command gets ``load_config``, a :class:`ConfigReader`.

    The command itself reads the file, so that a command which needs a running hub can report that first.
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
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def client_of(load_config: ConfigReader) -> Client:
    """Client of the running hub's control socket. A mistake elsewhere in the configuration does not prevent it."""
    from hub.control.client import Client

    return Client(load_config.socket())
