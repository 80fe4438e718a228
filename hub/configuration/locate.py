"""Finds the configuration file, and the control socket of its hub.

A command that controls or watches a hub needs only the path of the control socket from the file. A mistake anywhere
else must not keep the operator from a healthy hub, and no command pays for a check that it does not need: the schema is
imported only to word a mistake in the socket's path itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.configuration import places
from hub.configuration.layers import Layers
from hub.configuration.masking import masked
from hub.errors import ConfigError
from hub.text import printable
from hub.trust import Trust
from hub.units import parse_path

DEFAULT_FILES = (Path("hub.conf"), Path("/etc/hubbub/hub.conf"))
LONGEST_PROBLEM = 1000
"""Characters of a problem; a list of all settings fits."""


@dataclass(frozen=True)
class Located:
    """The control socket of a hub.

    :ivar problems: reasons why the file does not give the socket's path, one line each; usually none. ``socket`` is
        then the path by the settings above the mistake, or the default.
    """

    socket: Path
    problems: tuple[str, ...] = ()


def locate(path: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> Located:
    """Find the socket by the rules of :func:`hub.configuration.loading.load`; no plugin is imported or checked.

    :raises ConfigError: there is no such file; an override has no value; or the file can't be used, and there is no
        socket at the path.
    """
    file = find(path)
    layers = Layers(file.parent, forgiving=True)
    layers.add_file(file)
    if not os.path.exists(file):
        raise ConfigError(list(map(one_line, layers.problems)))
    layers.add_directory(file.with_name(file.name + ".d"))
    problems = layers.problems if layers.unreadable else []
    layers.problems = []
    layers.add_environment(environ)
    layers.problems = []
    layers.add_overrides(overrides)
    if layers.problems:
        raise ConfigError(list(map(one_line, layers.problems)))
    set_to = {key: _set_to(layers, key, problems) for key in ("state_dir", "control_socket")}
    state_dir, _ = places.state_dir(set_to["state_dir"], file, environ)
    socket, _ = places.control_socket(set_to["control_socket"], file, state_dir, environ)
    found = Located(socket, tuple(map(one_line, problems)))
    if problems and not os.path.lexists(socket):
        raise ConfigError(found.problems)
    return found


def find(path: Path | None) -> Path:
    """The file to read. :raises ConfigError: there is none, or a default file is not trusted."""
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


def one_line(problem: str) -> str:
    """A problem on one line of bounded length, with passwords masked, whatever the file held."""
    text = printable(masked(problem))
    return text if len(text) <= LONGEST_PROBLEM else f"{text[:LONGEST_PROBLEM]}..."


def _set_to(layers: Layers, key: str, problems: list[str]) -> Path | None:
    """The path in a setting of ``[hub]``; ``None``: unset, or wrong, which is added to ``problems``."""
    table: Any = layers.content.get("hub", {})
    if not isinstance(table, dict):
        problem = f"{layers.where(('hub',))}: expected a table"
        problems += [] if problem in problems else [problem]
        return None
    if key not in table:
        return None
    directory = layers.directories(("hub",)).get(key, layers.directory)
    try:
        return parse_path(table[key], directory)
    except ValueError:
        problems += _mistakes(layers, {key: table[key]})
        return None


def _mistakes(layers: Layers, given: dict[str, Any]) -> list[str]:
    """Problems of settings in ``[hub]``, worded as by the full check."""
    from pydantic import ValidationError

    from hub.configuration.problems import problems_of
    from hub.configuration.schema import HubSettings

    try:
        HubSettings.model_validate(given, context={"directory": layers.directory})
    except ValidationError as error:
        return list(problems_of(error, ("hub",), given, layers.where, HubSettings.model_fields))
    return []
