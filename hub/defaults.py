"""Settings as TOML text: every one with its help and default, or the ones in force with their sources."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from hub import plugins
from hub.config import SECTIONS, HubSettings
from hub.errors import PluginError
from hub.settings import Settings

WIDTH = 100


def toml_value(value: object) -> str:
    """A value as TOML; JSON's text, lists and numbers are TOML too."""
    return json.dumps(value, ensure_ascii=False)


def default_of(model: type[Settings], name: str) -> object:
    """As it was declared, in the form in which one would write it; ``None``: unset, or it must be given."""
    default: Any = model.model_fields[name].get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return None
    return str(default) if isinstance(default, Path) else default


def documented() -> Iterator[tuple[str, str, str, type[Settings]]]:
    """All tables there are: section, the name of a plugin (or empty), what the table is for, and the declaration."""
    yield "hub", "", "the daemon itself", HubSettings
    for section, (model, group) in SECTIONS.items():
        yield section, "", f"what the hub sets for each of the {section}", model
        for name in plugins.names(group):
            try:
                cls = plugins.load(group, name, Path()).cls
            except PluginError:
                continue
            yield section, name, first_sentence(cls.__doc__ or ""), getattr(cls, "Config", Settings)


def first_sentence(text: str) -> str:
    """On one line, without the stop."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def default_file() -> str:
    """A complete commented ``hub.conf``. Every setting is commented out, so that it says what is the default."""
    lines = ["# Every setting of hubbub, with its default. All of them are optional but where it says 'must be set'."]
    common: type[Settings] | None = None
    for section, name, purpose, model in documented():
        if section == "hub":
            lines += ["", "[hub]", *_settings(model, prefix="")]
        elif not name:
            common = model
        else:
            assert common is not None
            lines += ["", f"# [{section}.{name}]", f"# {purpose}", f'# type = "{name}"', "#"]
            lines += [*_settings(common, "# ", {"type"}), *_settings(model, "# ")]
    return "\n".join(lines) + "\n"


def _settings(model: type[Settings], prefix: str, leave_out: set[str] | None = None) -> Iterator[str]:
    for name, info in model.model_fields.items():
        if name in (leave_out or ()):
            continue
        yield from textwrap.wrap(info.description or "", WIDTH, initial_indent="# ", subsequent_indent="# ")
        default = default_of(model, name)
        if info.is_required():
            yield f"# {name} =      (must be set)"
        else:
            yield f"# {name} =      (unset)" if default is None else f"# {name} = {toml_value(default)}"
        yield prefix.rstrip()


def effective_file(tables: Iterator[tuple[str, Settings]], origin: Callable[[str], str]) -> str:
    """The settings in force, each with the place where it was set.

    :param origin: from ``consumers.archive.threads`` to that place.
    """
    lines = []
    for table, settings in tables:
        lines.append(f"[{table}]")
        for name, value in settings.model_dump(mode="json").items():
            shown = f"{name} = {toml_value(value)}" if value is not None else f"# {name} is unset"
            lines.append(f"{shown:<60} # {origin(f'{table}.{name}')}")
        lines.append("")
    return "\n".join(lines)
