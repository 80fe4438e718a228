"""The settings in force, each with the place where it was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.configuration import places
from hub.configuration.layers import Layers
from hub.configuration.masking import HIDDEN, masked_value
from hub.configuration.schema import Configuration, Part
from hub.configuration.sections import SECTIONS
from hub.configuration.spelling import shown
from hub.configuration.toml_lines import KeyPath
from hub.configuration.toml_text import toml_key, toml_path, toml_value
from hub.configuration.type_names import is_plain_secret, written_by
from hub.secret import Secret
from hub.settings import Settings

DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """A setting in force. Passwords in URLs are masked; a secret shows its reference, not its content."""

    table: KeyPath
    name: str
    value: Any
    source: str
    """``hub.conf:12``, ``$HUBBUB_...``, ``--set ...``, ``class Archive`` or ``default``."""


def settings_in_force(configuration: Configuration, layers: Layers, environ: Mapping[str, str]) -> Iterator[Setting]:
    """Settings of the hub, then those of each enabled part.

    :param layers: the sources that the configuration was built from.
    """
    yield from _of_the_hub(configuration, layers, environ)
    for section, part in configuration.all_parts():
        table = (section, part.name)
        for name, value in (*_written(part.settings), *_written(part.config)):
            source = _source(layers, (*table, name)) or _class_source(section, part, name) or DEFAULT
            yield Setting(table, name, masked_value(value), source)


def effective_file(settings: Iterator[Setting]) -> str:
    """The settings as TOML, with their sources in comments."""
    lines: list[str] = []
    table: KeyPath = ()
    for setting in settings:
        if setting.table != table:
            table = setting.table
            lines += ["", f"[{toml_path(table)}]"]
        name, value = toml_key(setting.name), setting.value
        text = f"# {name} is unset" if value is None else f"{name} = {toml_value(value)}"
        lines.append(f"{text:<60} # {setting.source}")
    return "\n".join(lines[1:]) + "\n"


def _of_the_hub(configuration: Configuration, layers: Layers, environ: Mapping[str, str]) -> Iterator[Setting]:
    hub, file = configuration.hub, configuration.file or layers.directory / "hub.conf"
    state_dir, state_source = places.state_dir(hub.state_dir, file, environ)
    socket, socket_source = places.control_socket(hub.control_socket, file, state_dir, environ)
    found = {"state_dir": (str(state_dir), state_source), "control_socket": (str(socket), socket_source)}
    for name, value in _written(hub):
        place, source = found.get(name, (value, ""))
        yield Setting(("hub",), name, place, source or _source(layers, ("hub", name)) or DEFAULT)


def _written(settings: Settings) -> Iterator[tuple[str, Any]]:
    """Settings with exact values: ``model_dump`` would round durations and sizes."""
    fields = type(settings).model_fields
    for name, value in settings.model_dump().items():
        write, exact = written_by(fields[name]), getattr(settings, name)
        if value is not None and is_plain_secret(name, fields[name]) and not Secret.is_reference(value):
            value = HIDDEN
        yield name, write(exact) if write is not shown and isinstance(exact, (int, float)) else value


def _source(layers: Layers, key: KeyPath) -> str:
    return layers.origins[key].text if key in layers.origins else ""


def _class_source(section: str, part: Part, name: str) -> str:
    cls = part.plugin.cls
    return f"class {cls.__name__}" if SECTIONS[section].is_set_by(cls, name) else ""
