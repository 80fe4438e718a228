"""``hubbub check`` and ``hubbub config``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.json_output import json_text
from hub.configuration.defaults import default_file, default_of, documented
from hub.configuration.effective import effective_file, settings_in_force
from hub.configuration.exposure import exposures, state_refusal
from hub.configuration.loading import build, read
from hub.configuration.locate import find
from hub.configuration.missing_extras import missing_extras
from hub.configuration.schema import Configuration, Part
from hub.configuration.sections import SECTIONS
from hub.configuration.toml_text import toml_path
from hub.configuration.type_names import kind_of
from hub.configuration.unreadable import unreadable
from hub.errors import ConfigError
from hub.logs.journal import NO_JOURNAL, there_is_a_journal
from hub.text import printable
from hub.trust import Trust


@click.command()
@config_option
@json_option
@click.option(
    "--strict", is_flag=True, help="Fail also if other users of the machine may read or change the hub's files."
)
def check(load_config: ConfigReader, as_json: bool, strict: bool) -> None:
    """Check the configuration: list every problem; the exit code is 78 if there is one."""
    try:
        configuration = load_config()
        warnings = [
            *_warnings(configuration),
            *_without_extras(configuration),
            *_unreadable(configuration),
            *_exposures(configuration, strict),
        ]
    except ConfigError as error:
        if as_json:
            click.echo(json_text({"ok": False, "problems": error.problems}))
            raise click.exceptions.Exit(os.EX_CONFIG) from error
        raise
    if as_json:
        click.echo(json_text({"ok": True, "problems": [], "warnings": warnings, **_summary(configuration)}))
        return
    for warning in warnings:
        click.echo(f"hubbub: warning: {printable(warning)}", err=True)
    click.echo(f"{configuration.file}: OK")
    for name, part in configuration.all_parts():
        section = SECTIONS[name]
        click.echo(f"  {section.noun} {part.name}: {_class_of(part)}{section.details(part)}")
        for note in section.notes(part):
            click.echo(f"    {note}")
    click.echo(f"  state in {configuration.state_dir}, control socket {configuration.control_socket}")


def _without_extras(configuration: Configuration) -> list[str]:
    """Warnings about missing optional libraries. :raises ConfigError: without some of them the hub would not start."""
    found = list(missing_extras(configuration))
    if any(extra.vital for extra, _ in found):
        raise ConfigError([text for _, text in found])
    return [text for _, text in found]


def _unreadable(configuration: Configuration) -> list[str]:
    """Warnings about files that this user may not read. :raises ConfigError: others are missing: the parts that need
    them would not start."""
    found = list(unreadable(configuration))
    if missing := [one.text for one in found if one.sure]:
        raise ConfigError(missing)
    return [one.text for one in found]


def _exposures(configuration: Configuration, strict: bool) -> list[str]:
    """Warnings about exposed files. :raises ConfigError: the hub would refuse to start; if ``strict``, for any."""
    if (refusal := state_refusal(configuration.state_dir)) is not None:
        raise ConfigError([refusal])
    found = exposures(configuration, Trust.now())
    if strict and found:
        raise ConfigError(found)
    return found


@click.command()
@config_option
@json_option
@click.option("--defaults", is_flag=True, help="Print a commented file with every setting and its default.")
@click.option("--show", is_flag=True, help="Print the settings in force, and where each was set. This is the default.")
@click.pass_context
def config(context: click.Context, load_config: ConfigReader, as_json: bool, defaults: bool, show: bool) -> None:
    """Show the settings in force, or all settings with their defaults. Passwords are never shown."""
    if defaults and show:
        raise click.UsageError("give --defaults or --show, not both")
    if defaults and as_json:
        click.echo(json_text({"settings": list(_declared())}))
    elif defaults:
        click.echo(default_file(), nl=False)
    else:
        # load_config() is not used: only the unchecked layers tell where each setting was set.
        _show(context.params.get("path"), context.params.get("overrides", ()), as_json)


def _show(path: Path | None, overrides: tuple[str, ...], as_json: bool) -> None:
    file = find(path)
    layers = read(file, overrides, os.environ)
    settings = settings_in_force(build(layers, file, os.environ), layers, os.environ)
    if not as_json:
        click.echo(effective_file(settings), nl=False)
        return
    rows = [
        {"key": toml_path((*setting.table, setting.name)), "value": setting.value, "source": setting.source}
        for setting in settings
    ]
    click.echo(json_text({"file": str(file), "settings": rows}))


def _declared() -> Iterator[dict[str, Any]]:
    for section, plugin, _, model in documented():
        for name, field in model.model_fields.items():
            yield {
                "section": section,
                "plugin": plugin or None,
                "name": name,
                "type": kind_of(field),
                "required": field.is_required(),
                "default": default_of(model, name),
                "help": field.description,
            }


def _warnings(configuration: Configuration) -> Iterator[str]:
    """Settings that have no effect on this machine."""
    if configuration.hub.log_to == "journal" and not there_is_a_journal():
        yield f"hub.log_to: {NO_JOURNAL}"


def _summary(configuration: Configuration) -> dict[str, Any]:
    places = {name: str(getattr(configuration, name)) for name in ("file", "state_dir", "control_socket")}
    parts = {
        name: {
            part.name: {"class": _class_of(part), **section.summary(part)} for part in configuration.of(name).values()
        }
        for name, section in SECTIONS.items()
    }
    return places | parts


def _class_of(part: Part) -> str:
    return f"{part.plugin.cls.__module__}:{part.plugin.cls.__qualname__}"
