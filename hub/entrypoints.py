"""Entry points: names of plugins and commands in installed distributions, found without importing them."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OWN = "hubbub"
"""Name of the hub's distribution."""
BUILT_IN = {
    ("hub.jobs", "database"): "hub.job_database.database:JobDatabase",
    ("hub.clusters", "announcements"): "hub.cluster.cluster:Cluster",
}
"""Plugins that are part of ``hub`` itself, not of a package beside it: they need no installation."""


def names(group: str) -> list[str]:
    """The names in an entry point group, such as ``hub.consumers``."""
    built_in = {name for of_group, name in BUILT_IN if of_group == group}
    return sorted({point.name for point in _points(group=group)} | built_in)


def entry_point(group: str, name: str) -> EntryPoint | None:
    """The entry point of that name, or ``None``. The hub's own comes before another distribution's."""
    if (group, name) in BUILT_IN:
        return cast("EntryPoint", _metadata().EntryPoint(name, BUILT_IN[group, name], group))
    own = next((point for point in _own() if (point.group, point.name) == (group, name)), None)
    return own or next(iter(_points(group=group, name=name)), None)


@cache
def _own() -> Sequence[EntryPoint]:
    """The entry points of the hub's own distribution. To look through all that are installed takes 15 ms and more."""
    metadata = _metadata()
    try:
        return tuple(metadata.distribution(OWN).entry_points)
    except metadata.PackageNotFoundError:
        return ()


def _points(**wanted: str) -> Any:
    return _metadata().entry_points(**wanted)


def _metadata() -> Any:
    # Imported here: it loads the standard library's e-mail parser, and most commands need no entry point.
    return importlib.import_module("importlib.metadata")
