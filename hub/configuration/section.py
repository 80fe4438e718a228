"""A section of ``hub.conf``: its tables, the rules for its classes, and the manager that runs its parts."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pkgutil import resolve_name
from typing import Any

from hub.configuration.plugin_check import construction_flaws
from hub.configuration.schema import Part, PartSettings
from hub.text import some_of


class Phase(Enum):
    """Phase in which the parts of a section start and are reloaded, in this order; they stop in the reverse order. Each
    phase works for the next ones, which begin when it is ready and end before it does."""

    RESOURCES = auto()
    """Resources for other parts, such as connections that consumers share."""
    DOORS = auto()
    """Parts through which people and programs reach the hub. They show how it starts, and how it stops."""
    OBSERVERS = auto()
    """Parts that export numbers, and trace the work of others: from the first message to the last numbers."""
    WORKERS = auto()
    """Parts that drain queues. Routes lead to their queues before any message arrives."""
    SOURCES = auto()
    """Parts that bring messages. What publishes of its own accord belongs here too: consumers are ready when it begins,
    and what it has published when it stops is still sent."""
    MEMBERSHIPS = auto()
    """Parts that tell other hubs of this one, over the buses of the sources: once all of it works, and as long as it
    does."""


def absence(section: str, name: str, valid: Collection[str], tables: Mapping[str, object]) -> str:
    """The reason why there is no part of that name; empty: there is one, or the problem of its table is told itself.

    :param valid: names of the parts that are enabled and valid. :param tables: all tables of the section.
    """
    if name not in tables:
        return f"there is no [{section}.{name}]; there are: {some_of(tables) if tables else 'none'}"
    return f"[{section}.{name}] is not enabled" if name not in valid and disabled(tables[name]) else ""


def disabled(table: object) -> bool:
    """True if a table of a part says that it is not enabled."""
    return isinstance(table, Mapping) and table.get("enabled") is False


@dataclass(frozen=True)
class Section:
    """The tables ``[NAME.*]`` of ``hub.conf``. To add a kind of part, add a section to
    :data:`hub.configuration.sections.SECTIONS`, and write the manager that it names.

    :ivar name: of the tables, in the plural: ``backends``. The entry point group of its plugins is ``hub.NAME``.
    :ivar settings: the hub's settings for each part; the plugin's own stand beside these.
    :ivar plugin: the protocol that its classes must follow.
    :ivar manager: the :class:`hub.parts.manager.Manager` that runs them, ``package.module:Class``. It is imported when
        a hub is built; commands do not need it.
    :ivar removed: words of a reload for a part that is no longer configured.
    """

    name: str
    settings: type[PartSettings]
    plugin: type[Any]
    manager: str
    phase: Phase
    removed: str = "removed"

    @property
    def group(self) -> str:
        """The entry point group of its plugins."""
        return f"hub.{self.name}"

    @property
    def noun(self) -> str:
        """The name of one of its parts: ``backend``."""
        return self.name.removesuffix("s")

    def manager_class(self) -> Any:
        """Import the manager."""
        return resolve_name(self.manager)

    # -- what may differ from section to section

    def class_defaults(self, cls: type[Any], config: Any) -> dict[str, Any]:
        """Settings for which the class has a default, as they are written in the file.

        :param config: an instance of the class's ``Config``; ``None``: its own settings are invalid.
        """
        return {}

    def is_set_by(self, cls: type[Any], name: str) -> bool:
        """True if the class has a default for that setting."""
        return False

    def conflicts(self, settings: Any, cls: type[Any], given: Collection[str]) -> Iterator[tuple[str, str]]:
        """Settings that contradict each other or their class: the setting to change, and why.

        :param settings: the settings, with the class's defaults filled in. :param given: names that the operator wrote.
        """
        return iter(())

    def flaws(self, cls: Any) -> Iterator[str]:
        """Reasons why a class can't be used; each completes a sentence that begins with the class's name."""
        if not isinstance(cls, type):
            yield "is installed as something that is no class"
            return
        yield from self.plugin_flaws(cls)
        yield from construction_flaws(cls, set(self.settings.model_fields))

    def plugin_flaws(self, cls: type[Any]) -> Iterator[str]:
        """Members of the protocol that the class lacks, as :meth:`flaws`."""
        methods = [name for name, value in vars(self.plugin).items() if inspect.isfunction(value) and name[0] != "_"]
        missing = [f"{name}()" for name in methods if not callable(getattr(cls, name, None))]
        declared = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
        attributes = [name for name in inspect.get_annotations(self.plugin) if name != "Config"]
        missing += [name for name in attributes if not hasattr(cls, name) and name not in declared]
        if missing:
            yield f"is not one of the {self.name}: it has no {', '.join(missing)}"

    def details(self, part: Part) -> str:
        """Text that ``hubbub check`` prints behind the class of a part."""
        return ""

    def notes(self, part: Part) -> Iterator[str]:
        """Notes of ``hubbub check`` on settings that are valid, but may not mean what the operator wants."""
        return iter(())

    def summary(self, part: Part) -> Mapping[str, Any]:
        """Fields of the part in ``hubbub check --json``, beside its class."""
        return {}
