"""The sources of a configuration, from weak to strong: the file, ``hub.conf.d``, the environment, ``--set``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any

from hub.configuration.override import Override, spelled
from hub.configuration.toml_file import TomlFile
from hub.configuration.toml_lines import KeyPath, Place
from hub.configuration.toml_text import toml_path
from hub.errors import ConfigError
from hub.trust import Trust

DEEPEST = 20
"""Most levels of nested tables. Deeper ones would overflow the stack of recursive functions."""


@dataclass(frozen=True)
class Origin:
    """The place of a setting: ``hub.conf:12``, ``$HUBBUB_...`` or ``--set ...``; and the directory of its relative
    paths."""

    text: str
    directory: Path


@dataclass
class Layers:
    """The tables of all sources merged into one.

    :ivar directory: the directory of the main file.
    :ivar content: the merged tables.
    :ivar origins: the place where each key was last set, and each table first.
    :ivar problems: sources and settings that could not be read or assigned.
    :ivar unreadable: true if some file could not be read at all.
    :ivar forgiving: merge what stands above the first mistake of such a file.
    """

    directory: Path
    content: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Origin] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unreadable: bool = False
    forgiving: bool = False

    def add_file(self, path: Path) -> None:
        """Merge a TOML file over the content so far. An untrusted file is not read, see :mod:`hub.trust`. A
        ``forgiving`` reader takes only the path of a socket from it, so it reads it all the same."""
        if not self.forgiving and (refusal := Trust.now().refusal(path)) is not None:
            self.problems.append(refusal if refusal.startswith(str(path)) else f"{path}: {refusal}")
            self.unreadable = True
            return
        try:
            file = TomlFile.read(path)
        except ConfigError as error:
            self.problems += error.problems
            self.unreadable = True
            if not self.forgiving:
                return
            file = TomlFile.read_above_mistake(path)
        self._merge(
            self.content, file.content, (), lambda key: Origin(f"{path}:{file.line(key)}", path.parent), defines=True
        )

    def add_directory(self, path: Path) -> None:
        """Merge the directory's ``*.conf``, in order of name, if there are any. Hidden files belong to editors and are
        skipped."""
        try:
            names = sorted(entry.name for entry in path.iterdir())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self.problems.append(f"{path}: can't be read: {getattr(error, 'strerror', None) or error}")
            self.unreadable = True
            return
        for name in names:
            if name.endswith(".conf") and not name.startswith("."):
                self.add_file(path / name)

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Merge ``HUBBUB_SECTION__NAME__KEY=value``; other ``HUBBUB_`` variables are not settings."""
        for name in sorted(environ):
            if (assignment := Override.of_variable(name, environ[name])) is not None:
                try:
                    words = list(self._spelled(assignment.words))
                except ValueError as error:
                    self.problems.append(f"{assignment.origin}: {error}")
                else:
                    self._assign(words, assignment)

    def add_overrides(self, overrides: Sequence[str]) -> None:
        """Merge ``section.name.key=value``, as given to ``--set``."""
        for override in overrides:
            try:
                assignment = Override.of_flag(override)
            except ValueError as error:
                self.problems.append(str(error))
            else:
                self._assign(assignment.words, assignment)

    def where(self, key: Place) -> str:
        """The key with the place where it, or the table around it, was set."""
        name = toml_path(key)
        origin = self.origin(key)
        if origin is None or origin.text == f"--set {name}":
            return name if origin is None else origin.text
        return f"{origin.text}: {name}"

    def origin(self, key: Place) -> Origin | None:
        """The origin of a key, or of the table around it; ``None``: it is not set."""
        words = tuple(str(part) for part in takewhile(lambda part: isinstance(part, str), key))
        found = (self.origins.get(words[:length]) for length in range(len(words), 0, -1))
        return next((origin for origin in found if origin is not None), None)

    def directories(self, table: KeyPath) -> dict[str, Path]:
        """Directories for the relative paths in a table, by the names of its settings."""
        return {key[-1]: origin.directory for key, origin in self.origins.items() if key[: len(table)] == table != key}

    def _spelled(self, words: KeyPath) -> Iterator[str]:
        table: Any = self.content
        for word in words:
            name = spelled(table, word)
            yield name
            table = table.get(name)
            table = table if isinstance(table, dict) else {}

    def _assign(self, words: Sequence[str], assignment: Override) -> None:
        content: Any = assignment.value
        if len(words) > DEEPEST:
            self.problems.append(f"{assignment.origin}: nested too deeply")
            return
        for word in reversed(words):
            content = {word: content}
        origin = Origin(assignment.origin, self.directory)
        self._merge(self.content, content, (), lambda _: origin, defines=False)

    def _merge(
        self,
        into: dict[str, Any],
        content: Mapping[str, Any],
        path: KeyPath,
        origin: Callable[[KeyPath], Origin],
        defines: bool,
    ) -> None:
        """:param defines: a second ``type`` is a second part of the same name, not a change of the first."""
        for name, value in content.items():
            key = (*path, name)
            if len(key) > DEEPEST:
                self.problems.append(f"{origin(key).text}: {toml_path(key[:3])}...: nested too deeply")
                return
            if defines and name in into and _is_type_of_a_part(key):
                self.problems.append(
                    f"{origin(key).text}: {toml_path(key[:2])} is defined twice, first at {self.origins[key].text}; "
                    "to change some of its settings, leave its type out"
                )
            if isinstance(value, dict):
                into[name] = into[name] if isinstance(into.get(name), dict) else {}
                self.origins.setdefault(key, origin(key))
                self._merge(into[name], value, key, origin, defines)
            else:
                if isinstance(into.get(name), dict):
                    self.origins = {other: at for other, at in self.origins.items() if other[: len(key)] != key}
                into[name] = value
                self.origins[key] = origin(key)


def _is_type_of_a_part(key: KeyPath) -> bool:
    return len(key) == 3 and key[0] != "hub" and key[2] == "type"
