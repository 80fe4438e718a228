"""``hubbub check`` and ``hubbub config``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from hub.cli.common import config_option, json_option
from hub.config import Configuration, Part
from hub.defaults import default_file, effective_file
from hub.errors import ConfigError
from hub.loading import find, read
from hub.problems import masked
from hub.settings import Settings


@click.command()
@config_option
@json_option
def check(load_config: Callable[[], Configuration], as_json: bool) -> None:
    """Check the configuration; all that is wrong is listed, and the exit code is 78."""
    try:
        configuration = load_config()
    except ConfigError as error:
        if as_json:
            click.echo(msgspec.json.encode({"ok": False, "problems": error.problems}).decode())
            raise click.exceptions.Exit(os.EX_CONFIG) from error
        raise
    if as_json:
        click.echo(msgspec.json.encode({"ok": True, "problems": []}).decode())
        return
    click.echo(f"{configuration.file}: OK")
    for kind, parts in _sections(configuration):
        for part in parts:
            click.echo(f"  {kind} {part.name}: {_class_of(part)}{_details(kind, part)}")
    click.echo(f"  state in {configuration.state_dir}, control socket {configuration.control_socket}")


def _sections(configuration: Configuration) -> Iterator[tuple[str, list[Part]]]:
    yield "backend", list(configuration.backends.values())
    yield "consumer", list(configuration.consumers.values())
    yield "exporter", list(configuration.exporters.values())


def _class_of(part: Part) -> str:
    return f"{part.plugin.cls.__module__}:{part.plugin.cls.__qualname__}"


def _details(kind: str, part: Part) -> str:
    if kind != "consumer":
        return ""
    threads = part.settings.threads
    return f", {threads} thread{'s' * (threads > 1)}, topics {' '.join(part.settings.topics) or 'none'}"


@click.command()
@config_option
@click.option("--defaults", is_flag=True, help="A commented file with every setting and its default.")
@click.option("--show", is_flag=True, help="The settings in force, and where each was set (the default).")
def config(load_config: Callable[[], Configuration], defaults: bool, show: bool) -> None:
    """Show settings: all that there are, or those in force. Passwords are never shown."""
    if defaults and show:
        raise click.UsageError("give --defaults or --show, not both")
    if defaults:
        click.echo(default_file(), nl=False)
        return
    configuration = load_config()
    parameters = click.get_current_context().params
    layers = read(find(parameters.get("path")), parameters.get("overrides", ()), os.environ)

    def origin(key: str) -> str:
        return layers.origins.get(tuple(key.split(".")), "default")

    click.echo(masked(effective_file(_tables(configuration), origin)), nl=False)


def _tables(configuration: Configuration) -> Iterator[tuple[str, Settings]]:
    filled = {"state_dir": Path(configuration.state_dir), "control_socket": Path(configuration.control_socket)}
    yield "hub", configuration.hub.model_copy(update=filled)
    for kind, parts in _sections(configuration):
        for part in parts:
            yield f"{kind}s.{part.name}", part.settings
            yield f"{kind}s.{part.name}", part.config
