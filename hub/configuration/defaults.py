"""Every setting there is, from the declarations: as a commented file, and for the reference."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub import plugins
from hub.configuration.kinds import kind_of
from hub.configuration.schema import SECTIONS, HubSettings
from hub.configuration.toml_text import toml_value
from hub.errors import PluginError
from hub.settings import Settings

WIDTH = 100
PROSE = "#   "
"""Indented, so that a program can tell what to enable (``^# [^ ]``) from what is only said."""
HEAD = f"""\
{PROSE}Every setting of hubbub, with its default. Indented lines are prose; in the others, take '# ' away
{PROSE}to set what stands behind it. '(unset)': it does without a default. What is an example, and no default,
{PROSE}says so.
"""


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
                continue  # an optional library that is not installed: it could not be used here either
            yield section, name, first_sentence(cls.__doc__ or ""), getattr(cls, "Config", Settings)


def first_sentence(text: str) -> str:
    """On one line, without the stop."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".")


def default_file() -> str:
    """A complete commented ``hub.conf``: valid as it is, and still so with its commented settings enabled."""
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
    # An example of what is unset stays prose; in place of a default it is what makes the table work.
    start = PROSE if default is None else "# "
    return f"{start}{name} = {toml_value(field.examples[0])}  # an example; the default: {shown}"
