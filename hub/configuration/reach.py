"""Where a running hub is to be reached, whatever else is wrong with its configuration.

Who steers or watches a hub needs no more of the file than the place of its control socket. A mistake anywhere else must
not take a healthy hub out of the operator's hands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hub.configuration import places
from hub.configuration.layers import Layers
from hub.configuration.loading import find, one_line
from hub.configuration.problems import problems_of
from hub.configuration.schema import HubSettings
from hub.errors import ConfigError

PLACES = ("state_dir", "control_socket")


@dataclass(frozen=True)
class Reach:
    """See the module.

    :ivar problems: why the file does not say where the socket is, one line each: ``socket`` is then where it would be
        by what stands above the mistake, and by default. Mostly there are none.
    """

    socket: Path
    problems: tuple[str, ...] = ()


def reach(path: Path | None = None, overrides: Sequence[str] = (), environ: Mapping[str, str] = os.environ) -> Reach:
    """By the same rules as :func:`hub.configuration.loading.load`; nothing is imported, and no more is checked.

    :raises ConfigError: there is no such file; an override has no value; or the file can't be used, and nothing is
        where the socket would be.
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
    hub = _places(layers, problems)
    state_dir, _ = places.state_dir(hub, file, environ)
    socket, _ = places.control_socket(hub, file, state_dir, environ)
    found = Reach(socket, tuple(map(one_line, problems)))
    if problems and not os.path.lexists(socket):
        raise ConfigError(found.problems)
    return found


def _places(layers: Layers, problems: list[str]) -> HubSettings:
    """Those of the two settings that are good."""
    table: Any = layers.content.get("hub", {})
    if not isinstance(table, dict):
        problems.append(f"{layers.where(('hub',))}: expected a table")
        table = {}
    context = {"directory": layers.directory, "directories": layers.directories(("hub",))}
    good: dict[str, Any] = {}
    for key in filter(table.__contains__, PLACES):
        given = {key: table[key]}
        try:
            HubSettings.model_validate(given, context=context)
        except ValidationError as error:
            problems += problems_of(error, ("hub",), given, layers.where, HubSettings.model_fields)
        else:
            good |= given
    return HubSettings.model_validate(good, context=context)
