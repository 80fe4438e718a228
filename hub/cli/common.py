"""What the subcommands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from hub.configuration.loading import load
from hub.configuration.schema import Configuration
from hub.control.client import Client

Function = TypeVar("Function", bound=Callable[..., Any])


def config_option(function: Function) -> Function:
    """Add ``-c/--config`` and ``-s/--set``; the command is called with ``load_config``, which reads the file.

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
        def load_config() -> Configuration:
            return load(path, overrides)

        return function(*args, load_config=load_config, **kwargs)

    return command  # type: ignore[return-value]


json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


def client_of(load_config: Callable[[], Configuration]) -> Client:
    """A client of the running hub's control socket."""
    return Client(load_config().control_socket)
