"""From ``hub.conf`` to a checked :class:`~hub.config.Configuration`, or to a list of all that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.config import SECTIONS, Configuration, HubSettings, Part
from hub.errors import ConfigError
from hub.layers import Layers, files_beside
from hub.parts import PartReader
from hub.problems import did_you_mean, problems_of

DEFAULT_FILES = (Path("hub.conf"), Path("/etc/hubbub/hub.conf"))
SOCKET_PATH_LIMIT = 107
"""Bytes; Linux's ``sun_path`` less its NUL."""


def load(
    path: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ
) -> Configuration:
    """Read, merge and check. Flag beats environment beats file beats default.

    :param path: ``None``: the first of :data:`DEFAULT_FILES` that exists.
    :param overrides: ``section.name.key=value``.
    :raises ConfigError: with everything that is wrong.
    """
    file = find(path)
    return build(read(file, overrides, environ), file, environ)


def find(path: Path | None) -> Path:
    """The file to read. :raises ConfigError: there is none."""
    if path is not None:
        return path.absolute()
    for candidate in DEFAULT_FILES:
        if candidate.exists():
            return candidate.absolute()
    looked = " or ".join(str(candidate) for candidate in DEFAULT_FILES)
    raise ConfigError([f"no configuration: there is no {looked}; name one with -c FILE"])


def read(file: Path, overrides: Sequence[str], environ: Mapping[str, str]) -> Layers:
    """All sources, merged; what can't be read is in its ``problems``."""
    layers = Layers()
    for source in (file, *files_beside(file)):
        layers.add_file(source)
    layers.add_environment(environ)
    layers.add_overrides(overrides)
    return layers


def build(layers: Layers, file: Path, environ: Mapping[str, str]) -> Configuration:
    """Check what was read. :raises ConfigError: with everything that is wrong."""
    problems = list(layers.problems)
    reader = PartReader(layers.where, file.parent)
    for section in layers.content:
        if section not in ("hub", *SECTIONS):
            problems.append(f"{layers.where((section,))}: unknown; {did_you_mean(section, ['hub', *SECTIONS])}")
    hub = _hub(layers, file.parent, problems)
    parts = {section: _parts(section, layers, reader) for section in SECTIONS}
    problems += reader.problems
    state_dir = _state_dir(hub, file, environ)
    control = _control_socket(hub, file, state_dir, environ)
    if len(os.fsencode(control)) > SOCKET_PATH_LIMIT:
        problems.append(
            f"{layers.where(('hub', 'control_socket'))}: {control} is longer than {SOCKET_PATH_LIMIT} bytes"
        )
    if problems:
        raise ConfigError(problems)
    return Configuration(file, hub, state_dir, control, **parts)


def _hub(layers: Layers, directory: Path, problems: list[str]) -> HubSettings:
    try:
        return HubSettings.model_validate(layers.content.get("hub", {}), context={"directory": directory})
    except ValidationError as error:
        problems += problems_of(error, ("hub",), layers.where, HubSettings.model_fields)
        return HubSettings()


def _parts(section: str, layers: Layers, reader: PartReader) -> dict[str, Part]:
    tables: Any = layers.content.get(section, {})
    if not isinstance(tables, dict):
        reader.problems.append(f"{layers.where((section,))}: expected tables [{section}.NAME], not {tables!r}")
        return {}
    parts = [reader.read(section, name, table) for name, table in tables.items()]
    return {part.name: part for part in parts if part is not None and part.settings.enabled}


def _is_system_file(file: Path) -> bool:
    return file.is_relative_to("/etc")


def _state_dir(hub: HubSettings, file: Path, environ: Mapping[str, str]) -> Path:
    if hub.state_dir is not None:
        return hub.state_dir
    if given := environ.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    return Path("/var/lib/hubbub") if _is_system_file(file) else file.parent / "state"


def _control_socket(hub: HubSettings, file: Path, state_dir: Path, environ: Mapping[str, str]) -> Path:
    if hub.control_socket is not None:
        return hub.control_socket
    if given := environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0]) / "hub.sock"
    return (Path("/run/hubbub") if _is_system_file(file) else state_dir) / "hub.sock"
