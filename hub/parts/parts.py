"""Starts, reloads and stops all parts of a hub, through their managers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred

from hub.configuration.schema import Configuration, Part
from hub.configuration.section import Phase
from hub.configuration.sections import SECTIONS
from hub.errors import ConfigError, HubError
from hub.failure import told
from hub.http.mounts import PluginMounts
from hub.partlog import part_log
from hub.parts.changes import Changes
from hub.parts.fallback import start_or_fall_back
from hub.parts.manager import Manager, verbs_of
from hub.parts.resources import Resources

Kind = TypeVar("Kind", bound=Manager[Any])
Prepared = Mapping[str, Mapping[str, Any]]
"""Instances that managers have made and not started yet, by section and name."""


class Parts:
    """All parts of a hub. Belongs to the reactor's thread.

    :param managers: by section, in the order in which the parts of a phase start.
    :param mounts: the verbs of running parts.
    """

    def __init__(self, managers: Mapping[str, Manager[Any]], mounts: PluginMounts) -> None:
        self._managers = managers
        self._mounts = mounts
        self._stopped = False

    @classmethod
    def of(cls, hub: Resources) -> Parts:
        """Make a manager for each section."""
        return cls({name: section.manager_class().of(hub) for name, section in SECTIONS.items()}, hub.mounts)

    def manager(self, kind: type[Kind]) -> Kind:
        """The manager of a class."""
        return next(manager for manager in self._managers.values() if isinstance(manager, kind))

    def _of(self, phase: Phase) -> list[tuple[str, Manager[Any]]]:
        return [(name, manager) for name, manager in self._managers.items() if SECTIONS[name].phase is phase]

    # -- start

    def prepare(self, wanted: Mapping[str, Iterable[Part]]) -> Prepared:
        """Make instances of parts; changes nothing else. :raises ConfigError: with all that can't be made."""
        problems: list[str] = []
        prepared: dict[str, dict[str, Any]] = {}
        for section, manager in self._managers.items():
            made = prepared.setdefault(section, {})
            for part in wanted.get(section, ()):
                try:
                    made[part.name] = manager.prepare(part)
                except ConfigError as error:
                    problems += error.problems
        if problems:
            raise ConfigError(problems)
        return prepared

    def announce(self, configuration: Configuration, prepared: Prepared) -> None:
        """Register parts before the hub starts."""
        for section, manager in self._managers.items():
            parts = configuration.of(section)
            manager.announce({name: (parts[name], one) for name, one in prepared[section].items()})

    @inlineCallbacks
    def start(
        self, phase: Phase, configuration: Configuration, prepared: Prepared
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """Start prepared parts of a phase, one after the other.

        :returns: a line for each setting that could not be applied.
        :raises HubError: from the first part that can't start.
        """
        problems: list[str] = []
        for section, manager in self._of(phase):
            for name, one in prepared[section].items():
                if not self._stopped:
                    yield self._start(section, configuration.of(section)[name], one)
            problems += manager.take_problems()
        return problems

    # -- reload

    def hand_over(self, changes: Changes, timeout: float) -> Deferred[Any]:
        """Fires when all changing parts have finished their messages in hand, or after ``timeout`` seconds."""
        waiting = [
            maybeDeferred(manager.hand_over, changes.of(section).names, timeout)
            for section, manager in self._managers.items()
        ]
        return DeferredList(waiting, fireOnOneErrback=True)

    @inlineCallbacks
    def apply(
        self, phase: Phase, new: Configuration, changes: Changes, prepared: Prepared
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """Apply changes in a phase: replace changed parts, remove others, start new ones.

        :returns: a line for each part or setting that could not be applied, with its state now.
        """
        problems: list[str] = []
        for section, manager in self._of(phase):
            removed = changes.of(section).removed
            problems += yield self.replace(section, new.of(section), prepared[section], removed)
            problems += manager.take_problems()
        return problems

    @inlineCallbacks
    def replace(
        self, section: str, parts: Mapping[str, Part], prepared: Mapping[str, Any], removed: Collection[str]
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """Apply changes in one section. Parts that can take their new settings while they run do; the others are
        stopped, and the prepared parts start in their places, or else the old ones again.

        :returns: a line for each part that could not be changed or started; an old one continues unchanged.
        """
        manager = self._managers[section]
        before = dict(manager.parts)
        replaced, unable = _reconfigured(section, manager, parts, prepared)
        yield self._retire(section, [*removed, *replaced])
        manager.remove(removed)
        if unable:  # once more: another part may just have released what they need, such as an address
            again, unable = _reconfigured(section, manager, parts, unable)
            yield self._retire(section, again)
            replaced += again
        problems = list(unable.values())
        for name in replaced:
            part, old = parts[name], before.get(name)
            start = partial(self._start, section)
            problems += yield start_or_fall_back(section, part, prepared[name], old, manager.prepare, start)
        return problems

    @inlineCallbacks
    def _start(self, section: str, part: Part, prepared: Any) -> Generator[Deferred[Any], Any, None]:
        if self._stopped:
            raise HubError("the hub stops")
        verbs = verbs_of(prepared, part_log(SECTIONS[section].noun, part.name))
        yield maybeDeferred(self._managers[section].start, part, prepared)
        self._mounts.mount(section, part.name, verbs)

    def _retire(self, section: str, names: Collection[str]) -> Deferred[Any]:
        for name in names:
            self._mounts.unmount(section, name)
        return maybeDeferred(self._managers[section].retire, names)

    def tried(self, prepared: Prepared) -> Deferred[Any]:
        """Fires when each of these parts has started, or has failed to."""
        return DeferredList([manager.tried(prepared[section]) for section, manager in self._managers.items()])

    def failing(self, prepared: Prepared) -> list[str]:
        """Lines about those of these parts that fail to start, and are tried again."""
        return [line for section, manager in self._managers.items() for line in manager.failing(prepared[section])]

    # -- while they run

    def in_force(self) -> dict[str, Mapping[str, Part]]:
        """Running parts by section, with the settings in force."""
        return {section: dict(manager.parts) for section, manager in self._managers.items()}

    def status(self) -> dict[str, Mapping[str, Any]]:
        """Status rows of running parts, by section."""
        return {section: manager.status() for section, manager in self._managers.items()}

    def release(self, detach: Callable[[int], None]) -> None:
        """Release the parts' file descriptors in a child process that was just forked."""
        for manager in self._managers.values():
            manager.release(detach)

    # -- stop

    @inlineCallbacks
    def stop(self, phase: Phase, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Stop all parts of a phase. Fires when they have ended, or after ``timeout`` seconds. No part is started any
        more, not even by a reload that still runs."""
        self._stopped = True
        stops = [maybeDeferred(manager.stop, timeout) for _, manager in self._of(phase)]
        yield DeferredList(stops, fireOnOneErrback=True)


def _reconfigured(
    section: str, manager: Manager[Any], parts: Mapping[str, Part], names: Iterable[str]
) -> tuple[list[str], dict[str, str]]:
    """Apply new settings to parts while they run.

    :returns: names of parts that must be replaced; and reasons by name for those that can't be changed.
    """
    replaced: list[str] = []
    unable: dict[str, str] = {}
    for name in names:
        try:
            if not manager.reconfigure(parts[name]):
                replaced.append(name)
        except Exception as error:  # noqa: BLE001 - a plugin's code: a reload must finish
            why = str(error) if isinstance(error, HubError) else told(error)
            unable[name] = f"{section}.{name}: {why}; it keeps its old settings"
    return replaced, unable
