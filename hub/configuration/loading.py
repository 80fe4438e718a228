"""From ``hub.conf`` to a checked configuration, or to a list of all that is wrong with it.

The checks are pydantic's. It reports every error of a table at once, with its path and kind, from which
:mod:`hub.configuration.problems` makes sentences; msgspec stops at the first, and cattrs' groups of exceptions carry no
kinds, only texts. The price, measured on CPython 3.11 as the median of 15 starts of an interpreter that imports nothing
else (9 ms, 12 MiB): pydantic 2.14 adds 62 ms and 8 MiB, attrs 26 with cattrs 39 ms and 3 MiB, msgspec 0.22 23 ms and
1 MiB. It is paid once per command, so the messages win.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from hub.configuration import places
from hub.configuration.layers import Layers
from hub.configuration.masking import masked, shown_masked
from hub.configuration.parts import PartReader
from hub.configuration.problems import did_you_mean, problems_of
from hub.configuration.schema import SECTIONS, Configuration, HubSettings, Part
from hub.errors import ConfigError
from hub.text import printable
from hub.trust import Trust

DEFAULT_FILES = (Path("hub.conf"), Path("/etc/hubbub/hub.conf"))
LONGEST_PROBLEM = 1000
"""Characters; a list of all settings there are fits into it."""
_PLACE = re.compile(r"(.+?):(\d+)(:\d+)?: ")


def load(
    path: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> Configuration:
    """Read, merge and check. Flag beats environment beats file beats default.

    Classes of plugins are imported; nothing else is done, and no file or directory made.

    :param path: ``None``: the first of :data:`DEFAULT_FILES` that exists.
    :param overrides: ``section.name.key=value``.
    :raises ConfigError: with everything that is wrong.
    """
    file = find(path)
    return build(read(file, overrides, environ), file, environ)


def find(path: Path | None) -> Path:
    """The file to read. :raises ConfigError: there is none, or it is one that nobody named and that is not trusted."""
    if path is not None:
        return path.absolute()
    for candidate in DEFAULT_FILES:
        if os.path.lexists(candidate):
            file = candidate.absolute()
            if (refusal := Trust.now().refusal(file)) is not None:
                raise ConfigError([f"{refusal}; --config names another file"])
            return file
    looked = " or ".join(str(candidate) for candidate in DEFAULT_FILES)
    raise ConfigError([f"no configuration: there is no {looked}; name one with --config FILE"])


def read(file: Path, overrides: Sequence[str], environ: Mapping[str, str]) -> Layers:
    """All sources, merged. :raises ConfigError: some can't be read.

    What they would have said is not known then, so that nothing else is checked: a setting would be called missing.
    """
    layers = Layers(file.parent)
    layers.add_file(file)
    layers.add_directory(file.with_name(file.name + ".d"))
    if layers.unreadable:
        raise ConfigError([one_line(problem) for problem in layers.problems])
    layers.add_environment(environ)
    layers.add_overrides(overrides)
    return layers


def build(layers: Layers, file: Path, environ: Mapping[str, str]) -> Configuration:
    """Check what was read. :raises ConfigError: with everything that is wrong."""
    problems = [*layers.problems, *_unknown_sections(layers)]
    reader = PartReader(layers)
    hub = _hub(layers, problems)
    parts = {section: _parts(section, layers, reader) for section in SECTIONS}
    problems += reader.problems
    state_dir, _ = places.state_dir(hub, file, environ)
    control, _ = places.control_socket(hub, file, state_dir, environ)
    if text := places.too_long(control):
        problems.append(f"{layers.where(('hub', 'control_socket'))}: {text}")
    if problems:
        raise ConfigError([one_line(problem) for problem in in_order(problems)])
    return Configuration(file, hub, state_dir, control, **parts)


def one_line(problem: str) -> str:
    """On one line of bounded length, whatever stood in the file, and with no password in it."""
    text = printable(masked(problem))
    return text if len(text) <= LONGEST_PROBLEM else f"{text[:LONGEST_PROBLEM]}..."


def in_order(problems: Sequence[str]) -> list[str]:
    """File by file, from top to bottom; what stands in no file first."""

    def place(problem: str) -> tuple[str, int]:
        found = _PLACE.match(problem)
        return (found.group(1), int(found.group(2))) if found else ("", 0)

    return sorted(problems, key=place)


def _unknown_sections(layers: Layers) -> list[str]:
    sections = ["hub", *SECTIONS]
    found = []
    for name in layers.content:
        if name in HubSettings.model_fields:
            found.append(f"{layers.where((name,))}: unknown setting here; it belongs in [hub]")
        elif name not in sections:
            found.append(f"{layers.where((name,))}: unknown section; {did_you_mean(name, sections)}")
    return found


def _hub(layers: Layers, problems: list[str]) -> HubSettings:
    table = layers.content.get("hub", {})
    context = {"directory": layers.directory, "directories": layers.directories(("hub",))}
    try:
        return HubSettings.model_validate(table, context=context)
    except ValidationError as error:
        problems += problems_of(error, ("hub",), table, layers.where, HubSettings.model_fields)
        return HubSettings()


def _parts(section: str, layers: Layers, reader: PartReader) -> dict[str, Part]:
    tables = layers.content.get(section, {})
    if not isinstance(tables, dict):
        text = f"expected tables, [{section}.NAME], not {shown_masked(tables)}"
        reader.problems.append(f"{layers.where((section,))}: {text}")
        return {}
    parts = [reader.read(section, name, table) for name, table in tables.items()]
    return {part.name: part for part in parts if part is not None and part.settings.enabled}
