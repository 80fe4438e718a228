"""``hubbub check`` and ``hubbub config``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.document import json_text
from hub.configuration.defaults import default_file, default_of, documented
from hub.configuration.effective import effective_file, settings_in_force
from hub.configuration.exposure import exposures, state_refusal
from hub.configuration.kinds import kind_of
from hub.configuration.loading import build, find, read
from hub.configuration.schema import SECTIONS, Configuration, Part
from hub.configuration.toml_text import toml_path
from hub.errors import ConfigError
from hub.logs.journal import NO_JOURNAL, there_is_a_journal
from hub.text import counted, printable
from hub.topics import with_any_rest
from hub.trust import Trust


@click.command()
@config_option
@json_option
@click.option("--strict", is_flag=True, help="Fail, too, for what other users of the machine may read or change.")
def check(load_config: ConfigReader, as_json: bool, strict: bool) -> None:
    """Check the configuration; all that is wrong is listed, and the exit code is 78."""
    try:
        configuration = load_config()
        warnings = [*_warnings(configuration), *_exposures(configuration, strict)]
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
    for section in SECTIONS:
        for part in getattr(configuration, section).values():
            click.echo(f"  {section[:-1]} {part.name}: {_class_of(part)}{_details(section, part)}")
            for note in _notes(section, part):
                click.echo(f"    {note}")
    click.echo(f"  state in {configuration.state_dir}, control socket {configuration.control_socket}")


def _exposures(configuration: Configuration, strict: bool) -> list[str]:
    """What is to be warned of. :raises ConfigError: the hub would not start with it, or it is to fail."""
    if (refusal := state_refusal(configuration.state_dir)) is not None:
        raise ConfigError([refusal])
    found = exposures(configuration, Trust.now())
    if strict and found:
        raise ConfigError(found)
    return found


@click.command()
@config_option
@json_option
@click.option("--defaults", is_flag=True, help="A commented file with every setting and its default.")
@click.option("--show", is_flag=True, help="The settings in force, and where each was set (the default).")
@click.pass_context
def config(context: click.Context, load_config: ConfigReader, as_json: bool, defaults: bool, show: bool) -> None:
    """Show settings: all that there are, or those in force. Passwords are never shown."""
    if defaults and show:
        raise click.UsageError("give --defaults or --show, not both")
    if defaults and as_json:
        click.echo(json_text({"settings": list(_declared())}))
    elif defaults:
        click.echo(default_file(), nl=False)
    else:
        # Not by load_config(): where each setting was set is known before they are checked, and only then.
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
    """What works, and not as it is written; on this machine, now."""
    if configuration.hub.log_to == "journal" and not there_is_a_journal():
        yield f"hub.log_to: {NO_JOURNAL}"


def _summary(configuration: Configuration) -> dict[str, Any]:
    places = {name: str(getattr(configuration, name)) for name in ("file", "state_dir", "control_socket")}
    parts: dict[str, Any] = {
        section: {name: {"class": _class_of(part)} for name, part in getattr(configuration, section).items()}
        for section in SECTIONS
    }
    for name, part in configuration.consumers.items():
        parts["consumers"][name] |= {"threads": part.settings.threads, "topics": part.settings.topics}
        parts["consumers"][name]["notes"] = list(_notes("consumers", part))
    return places | parts


def _class_of(part: Part) -> str:
    return f"{part.plugin.cls.__module__}:{part.plugin.cls.__qualname__}"


def _notes(section: str, part: Part) -> Iterator[str]:
    """What is right, and may be meant otherwise."""
    for pattern in part.settings.topics or () if section == "consumers" else ():
        if (whole := with_any_rest(pattern)) is not None:
            yield f"{pattern!r}: the * is exactly one word; for any rest, as moksha's * has it, write {whole!r}"


def _details(section: str, part: Part) -> str:
    if section != "consumers":
        return ""
    threads = part.settings.threads
    return f", {counted(threads, 'thread')}, topics {' '.join(part.settings.topics) or 'none'}"
