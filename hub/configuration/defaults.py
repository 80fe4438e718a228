"""The list of all settings, made from their declarations: as a commented file, and for the reference."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub import entrypoints, plugins
from hub.configuration.schema import HubSettings
from hub.configuration.sections import SECTIONS
from hub.configuration.toml_text import toml_value
from hub.configuration.type_names import kind_of
from hub.errors import PluginError
from hub.settings import Settings
from hub.text import first_sentence

WIDTH = 100
PROSE = "#   "
"""The prefix of prose. Its indent lets a program tell settings (``^# [^ ]``) from prose."""
HEAD = f"""\
{PROSE}Every setting of hubbub, with its default. Indented lines are prose; in the others, remove '# '
{PROSE}to set what follows. '(unset)': the setting has no default. An example that is not the default is marked
{PROSE}as one.
"""


def default_of(model: type[Settings], name: str) -> object:
    """The default as it is written in a file; ``None``: unset, or the setting is required."""
    default: Any = model.model_fields[name].get_default(call_default_factory=True)
    if default is PydanticUndefined:
        return None
    return str(default) if isinstance(default, Path) else default


def documented() -> Iterator[tuple[str, str, str, type[Settings]]]:
    """All tables: section, name of a plugin (or empty), purpose, and declaration."""
    yield "hub", "", "the daemon itself", HubSettings
    for section in SECTIONS.values():
        yield section.name, "", f"what the hub sets for each of the {section.name}", section.settings
        for name in entrypoints.names(section.group):
            try:
                cls = plugins.load(section.group, name, Path()).cls
            except PluginError:
                continue  # needs an optional library that is not installed
            yield section.name, name, first_sentence(cls.__doc__ or ""), getattr(cls, "Config", Settings)


def default_file() -> str:
    """A complete commented ``hub.conf``. It is valid as it is, and with all commented settings enabled."""
    lines = [HEAD.rstrip()]
    common: type[Settings] = HubSettings
    for section, name, purpose, model in documented():
        if section == "hub":
            lines += ["", "[hub]", *_settings(model)]
        elif not name:
            common = model
        else:
            lines += ["", f"# [{section}.{name}]", f"{PROSE}{purpose}", f"# type = {toml_value(name)}", "#"]
            lines += [*_settings(common, {"type"}), *_settings(model)]
    return "\n".join(lines) + "\n"


def _settings(model: type[Settings], leave_out: Collection[str] = ()) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name not in leave_out:
            prose = f"{field.description or ''} ({kind_of(field)})".strip()
            yield from textwrap.wrap(prose, WIDTH, initial_indent=PROSE, subsequent_indent=PROSE)
            yield _line(model, name, field)
            yield "#"


def _line(model: type[Settings], name: str, field: FieldInfo) -> str:
    default = default_of(model, name)
    if field.is_required():
        example = f" = {toml_value(field.examples[0])}" if field.examples else ""
        return f"# {name}{example}  # must be set" if example else f"{PROSE}{name} must be set"
    if default is not None and not field.examples:
        return f"# {name} = {toml_value(default)}"
    shown = "unset" if default is None else toml_value(default)
    if not field.examples:
        return f"{PROSE}{name} (unset)"
    # An example of an unset setting stays prose; in place of a default it makes the table valid.
    start = PROSE if default is None else "# "
    return f"{start}{name} = {toml_value(field.examples[0])}  # an example; the default: {shown}"
