"""Loads ``hub.conf`` into a checked configuration, or reports all problems in it.

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
from hub.configuration.cluster_section import unknown_backends
from hub.configuration.consumer_section import unknown_to_consumers
from hub.configuration.job_section import unknown_databases, unknown_to_backends
from hub.configuration.layers import Layers
from hub.configuration.locate import find, one_line
from hub.configuration.masking import shown_masked
from hub.configuration.parts import PartReader
from hub.configuration.problems import did_you_mean, problems_of
from hub.configuration.schema import Configuration, HubSettings, Part
from hub.configuration.sections import SECTIONS
from hub.errors import ConfigError

_PLACE = re.compile(r"(.+?):(\d+)(:\d+)?: ")


def load(
    path: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> Configuration:
    """Read, merge and check the configuration. Flag beats environment beats file beats default.

    Plugin classes are imported. No file or directory is made.

    :param path: ``None``: the first of :data:`hub.configuration.locate.DEFAULT_FILES` that exists.
    :param overrides: ``section.name.key=value``.
    :raises ConfigError: with all problems.
    """
    file = find(path)
    return build(read(file, overrides, environ), file, environ)


def read(file: Path, overrides: Sequence[str], environ: Mapping[str, str]) -> Layers:
    """Read and merge all sources. :raises ConfigError: some can't be read.

    Nothing else is checked then: settings of an unreadable source would be reported as missing.
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
    """Check the merged sources. :raises ConfigError: with all problems."""
    problems = [*layers.problems, *_unknown_sections(layers)]
    reader = PartReader(layers)
    hub = _hub(layers, problems)
    parts = {section: _parts(section, layers, reader) for section in SECTIONS}
    problems += [*reader.problems, *_unknown_databases(layers, parts), *_unknown_backends(layers, parts)]
    state_dir, _ = places.state_dir(hub.state_dir, file, environ)
    control, _ = places.control_socket(hub.control_socket, file, state_dir, environ)
    if text := places.too_long(control):
        problems.append(f"{layers.where(('hub', 'control_socket'))}: {text}")
    if problems:
        raise ConfigError([one_line(problem) for problem in in_order(problems)])
    return Configuration(file, hub, state_dir, control, parts)


def in_order(problems: Sequence[str]) -> list[str]:
    """Problems sorted by file and line; those that stand in no file come first."""

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


def _unknown_databases(layers: Layers, parts: Mapping[str, Mapping[str, Part]]) -> list[str]:
    known = (parts["jobs"], _tables(layers, "jobs"))
    found = [*unknown_databases(parts["consumers"], *known), *unknown_to_backends(parts["backends"], *known)]
    return [f"{layers.where(place)}: {text}" for place, text in found]


def _unknown_backends(layers: Layers, parts: Mapping[str, Mapping[str, Part]]) -> list[str]:
    known = (parts["backends"], _tables(layers, "backends"))
    found = [*unknown_backends(parts["clusters"], *known), *unknown_to_consumers(parts["consumers"], *known)]
    return [f"{layers.where(place)}: {text}" for place, text in found]


def _tables(layers: Layers, section: str) -> dict[str, object]:
    """The tables of a section, of which some may have problems."""
    tables = layers.content.get(section, {})
    return tables if isinstance(tables, dict) else {}


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
