"""What differs between two configurations, as a reload needs it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub import files
from hub.configuration.schema import SECTIONS, Configuration, Part

LIVE = {"log_level", "log_levels", "max_disk", "stop_timeout"}
"""Settings of ``[hub]`` that a reload applies."""


@dataclass(frozen=True)
class Delta:
    """Of the parts of one kind: names."""

    changed: list[str]
    """To be started: new, or other than before."""
    removed: list[str]
    lines: list[str]
    """One for each, for people."""

    @classmethod
    def between(cls, kind: str, old: Mapping[str, Part], new: Mapping[str, Part], aftermath: str = "") -> Delta:
        """From ``old`` to ``new``. :param aftermath: what becomes of one that is removed."""
        changed = [name for name, part in new.items() if name not in old or old[name].identity != part.identity]
        removed = [name for name in old if name not in new]
        lines = [f"{kind} {name}: {_change(old.get(name), new[name])}" for name in changed]
        lines += [f"{kind} {name}: removed{aftermath}" for name in removed]
        return cls(changed, removed, lines)


@dataclass(frozen=True)
class Changes:
    """All of them."""

    consumers: Delta
    backends: Delta
    exporters: Delta
    servers: Delta
    hub: list[str]
    """Lines about ``[hub]``, whether it can be applied or not."""

    @classmethod
    def between(cls, old: Configuration, new: Configuration) -> Changes:
        """From ``old`` to ``new``."""
        return cls(
            Delta.between("consumer", old.consumers, new.consumers, ", its queue is kept"),
            Delta.between("backend", old.backends, new.backends),
            Delta.between("exporter", old.exporters, new.exporters),
            Delta.between("server", old.servers, new.servers),
            list(_of_the_hub(old, new)),
        )

    @property
    def lines(self) -> list[str]:
        """A line for each difference."""
        deltas = (self.consumers, self.backends, self.exporters, self.servers)
        return [*(line for delta in deltas for line in delta.lines), *self.hub]


@dataclass(frozen=True)
class Outcome:
    """Of a reload: lines for people."""

    changes: list[str]
    """What is other than before."""
    problems: list[str]
    """What could not be changed or started, and what became of it. A next reload tries again."""


def read_anew(load: Callable[[], Configuration], old: Configuration) -> Configuration:
    """The configuration as it is now. A part of a file that is to be replaced, for its settings differ, is given a
    module that is imported anew: its own has what the part before it has closed. So are other parts of that file.

    :raises ConfigError: with all that is wrong.
    """
    new = load()
    before, after = _parts(old), _parts(new)
    modules = {part.plugin.module for key, part in after.items() if key in before and _is_reused(before[key], part)}
    if not modules:
        return new
    files.renew(modules)
    return load()


def forget_modules(running: Mapping[str, Mapping[str, Part]]) -> None:
    """After a reload: let go of the modules of files that no part has any more."""
    files.forget_others({part.plugin.module for parts in running.values() for part in parts.values()})


def _parts(configuration: Configuration) -> dict[tuple[str, str], Part]:
    return {(section, name): part for section in SECTIONS for name, part in getattr(configuration, section).items()}


def _is_reused(old: Part, new: Part) -> bool:
    return bool(new.plugin.module) and old.plugin.module == new.plugin.module and old.identity != new.identity


def in_force(old: Configuration, new: Configuration, running: Mapping[str, Mapping[str, Part]]) -> Configuration:
    """What holds after a reload: what takes a restart is as it was.

    :param running: of each section, what those that run were made of; some may not have taken their new settings.
    """
    hub = old.hub.model_copy(update={name: getattr(new.hub, name) for name in LIVE})
    kept = replace(new, hub=hub, state_dir=old.state_dir, control_socket=old.control_socket)
    changes: dict[str, Any] = {section: dict(parts) for section, parts in running.items()}
    return replace(kept, **changes)


def _change(old: Part | None, new: Part) -> str:
    if old is None:
        return "added"
    # By ``vars``: a plugin's setting may be called as a method is that would give them, such as ``keys``.
    before, after = {**vars(old.settings), **vars(old.config)}, {**vars(new.settings), **vars(new.config)}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if old.plugin.fingerprint != new.plugin.fingerprint and "type" not in names:
        names.insert(0, "its code")
    return f"changed ({', '.join(names) or 'its module, which another part has too'})"


def _of_the_hub(old: Configuration, new: Configuration) -> list[str]:
    before, after = old.hub.model_dump(), new.hub.model_dump()
    differing = [name for name in after if before[name] != after[name]]
    return [f"hub.{name}: changed{'' if name in LIVE else ', which takes a restart'}" for name in differing]
