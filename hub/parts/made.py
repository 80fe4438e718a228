"""The parts that a reload has made and not yet started: all that can fail before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hub.configuration.schema import Configuration, Part
from hub.consumer import Consumer
from hub.errors import ConfigError
from hub.interfaces import Backend, Exporter, Server
from hub.parts.changes import Changes
from hub.parts.exports import Exports
from hub.parts.fleet import Fleet
from hub.parts.roster import Roster
from hub.parts.servers import Servers

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Made:
    """By name."""

    consumers: dict[str, Consumer]
    backends: dict[str, Backend]
    exporters: dict[str, Exporter]
    servers: dict[str, Server]

    @classmethod
    def of(
        cls, changes: Changes, new: Configuration, roster: Roster, fleet: Fleet, exports: Exports, servers: Servers
    ) -> Made:
        """What is new or changed. :raises ConfigError: with all that can't be made."""
        problems: list[str] = []
        made = cls(
            _made(roster.make, new.consumers, changes.consumers.changed, problems),
            _made(fleet.make, new.backends, changes.backends.changed, problems),
            _made(exports.make, new.exporters, changes.exporters.changed, problems),
            _made(servers.make, new.servers, changes.servers.changed, problems),
        )
        if problems:
            raise ConfigError(problems)
        return made


def _made(
    make: Callable[[Part], Thing], parts: Mapping[str, Part], names: Iterable[str], problems: list[str]
) -> dict[str, Thing]:
    made: dict[str, Thing] = {}
    for name in names:
        try:
            made[name] = make(parts[name])
        except ConfigError as error:
            problems += error.problems
    return made
