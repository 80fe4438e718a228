"""Compares two configurations for a reload. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from hub import files
from hub.configuration.schema import Configuration, Part
from hub.configuration.section import Section
from hub.configuration.sections import SECTIONS

LIVE = {"log_level", "log_levels", "max_disk", "stop_timeout"}
"""Settings of ``[hub]`` that a reload can apply."""


class Delta(msgspec.Struct, frozen=True):
    """The changes in one section: names of parts."""

    changed: list[str]
    """Parts to start: new or changed ones."""
    removed: list[str]
    lines: list[str]
    """Text for people, a line for each part."""

    @property
    def names(self) -> list[str]:
        """Names of all changed and removed parts."""
        return [*self.changed, *self.removed]

    @classmethod
    def between(cls, section: Section, old: Mapping[str, Part], new: Mapping[str, Part]) -> Delta:
        """Compare a section of two configurations."""
        changed = [name for name, part in new.items() if name not in old or old[name].identity != part.identity]
        removed = [name for name in old if name not in new]
        lines = [f"{section.noun} {name}: {_change(old.get(name), new[name])}" for name in changed]
        lines += [f"{section.noun} {name}: {section.removed}" for name in removed]
        return cls(changed, removed, lines)


@dataclass(frozen=True)
class Changes:
    """The changes of a whole configuration."""

    deltas: Mapping[str, Delta]
    """Changes by section."""
    hub: list[str]
    """Lines about ``[hub]``, also for settings that take a restart."""

    @classmethod
    def between(cls, old: Configuration, new: Configuration) -> Changes:
        """Compare two configurations."""
        deltas = {name: Delta.between(one, old.of(name), new.of(name)) for name, one in SECTIONS.items()}
        return cls(deltas, list(_of_the_hub(old, new)))

    def of(self, section: str) -> Delta:
        """The changes in one section."""
        return self.deltas[section]

    def wanted(self, new: Configuration) -> dict[str, list[Part]]:
        """Parts to start, by section."""
        return {name: [new.of(name)[part] for part in delta.changed] for name, delta in self.deltas.items()}

    @property
    def lines(self) -> list[str]:
        """Text for people, a line for each change."""
        return [*(line for delta in self.deltas.values() for line in delta.lines), *self.hub]


@dataclass(frozen=True)
class Outcome:
    """The outcome of a reload: lines for people."""

    changes: list[str]
    """Lines for what has changed."""
    problems: list[str]
    """Lines for what could not be changed or started, and its state now. The next reload tries again."""


def read_anew(load: Callable[[], Configuration], old: Configuration) -> Configuration:
    """Load the configuration anew. A plugin file with a part to replace is imported anew, because its module may hold
    resources that the old part has closed; that affects all parts of the file.

    :raises ConfigError: with all problems.
    """
    new = load()
    before, after = _parts(old), _parts(new)
    modules = {part.plugin.module for key, part in after.items() if key in before and _is_reused(before[key], part)}
    if not modules:
        return new
    files.renew(modules)
    return load()


def forget_modules(running: Mapping[str, Mapping[str, Part]]) -> None:
    """Drop the modules of files that no part uses any more, after a reload."""
    files.forget_others({part.plugin.module for parts in running.values() for part in parts.values()})


def _parts(configuration: Configuration) -> dict[tuple[str, str], Part]:
    return {(section, part.name): part for section, part in configuration.all_parts()}


def _is_reused(old: Part, new: Part) -> bool:
    return bool(new.plugin.module) and old.plugin.module == new.plugin.module and old.identity != new.identity


def in_force(old: Configuration, new: Configuration, running: Mapping[str, Mapping[str, Part]]) -> Configuration:
    """The configuration in force after a reload: settings that take a restart keep their old values.

    :param running: running parts by section; some may still have their old settings.
    """
    hub = old.hub.model_copy(update={name: getattr(new.hub, name) for name in LIVE})
    parts = {**new.parts, **{section: dict(parts) for section, parts in running.items()}}
    return replace(new, hub=hub, state_dir=old.state_dir, control_socket=old.control_socket, parts=parts)


def _change(old: Part | None, new: Part) -> str:
    if old is None:
        return "added"
    # By ``vars``: a plugin's setting may have the name of a mapping's method, such as ``keys``.
    before, after = {**vars(old.settings), **vars(old.config)}, {**vars(new.settings), **vars(new.config)}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    names += [name for name, state in new.secrets.items() if name not in names and old.secrets.get(name) != state]
    if old.plugin.fingerprint != new.plugin.fingerprint and "type" not in names:
        names.insert(0, "its code")
    return f"changed ({', '.join(names) or 'its module, which another part has too'})"


def _of_the_hub(old: Configuration, new: Configuration) -> list[str]:
    before, after = old.hub.model_dump(), new.hub.model_dump()
    differing = [name for name in after if before[name] != after[name]]
    return [f"hub.{name}: changed{'' if name in LIVE else ', which takes a restart'}" for name in differing]
