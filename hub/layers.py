"""The sources of a configuration, from weak to strong: the file, ``hub.conf.d``, the environment, ``--set``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.config import SECTIONS
from hub.toml_lines import key_lines

PREFIX = "HUBBUB_"
KeyPath = tuple[str, ...]


@dataclass
class Layers:
    """The tables of all sources merged into one.

    :ivar content: what a single file with all of it would hold.
    :ivar origins: where each key was last set: ``hub.conf:12``, ``$HUBBUB_...`` or ``--set``.
    :ivar problems: what could not be read.
    """

    content: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add_file(self, path: Path) -> None:
        """Merge a TOML file over what there is."""
        try:
            text = path.read_text(encoding="utf-8")
            content = tomllib.loads(text)
        except UnicodeDecodeError as error:
            self.problems.append(f"{path}: not UTF-8: {error.reason} at byte {error.start}")
        except tomllib.TOMLDecodeError as error:
            self.problems.append(f"{path}: not TOML: {error}")
        except RecursionError:
            self.problems.append(f"{path}: not TOML: nested too deeply")
        except OSError as error:
            self.problems.append(f"{path}: {error.strerror or error}")
        else:
            lines = key_lines(text)
            self._merge(self.content, content, (), lambda key: f"{path}:{_line(lines, key)}")

    def add_environment(self, environ: Mapping[str, str]) -> None:
        """Merge ``HUBBUB_SECTION__NAME__KEY=value``; other ``HUBBUB_`` variables are not settings."""
        for name in sorted(environ):
            if name.startswith(PREFIX) and "__" in name:
                words = name.removeprefix(PREFIX).lower().split("__")
                self._assign(words, environ[name], f"${name}")

    def add_overrides(self, overrides: Sequence[str]) -> None:
        """Merge ``section.name.key=value``, as given to ``--set``."""
        for override in overrides:
            key, equals, value = override.partition("=")
            if not equals or not all(key.split(".")):
                self.problems.append(f"--set {override}: expected PATH=VALUE, such as consumers.archive.threads=4")
            else:
                self._assign(key.strip().split("."), value, f"--set {key.strip()}")

    def where(self, key: KeyPath) -> str:
        """The key with the place where it, or else the table around it, was set."""
        for length in range(len(key), 0, -1):
            if key[:length] in self.origins:
                return f"{self.origins[key[:length]]}: {'.'.join(key)}"
        return ".".join(key)

    def _assign(self, words: list[str], raw: str, origin: str) -> None:
        try:
            value = tomllib.loads(f"value = {raw}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            value = raw
        table: Any = self.content
        path: list[str] = []
        for word in words[:-1]:
            path.append(next((name for name in table if name.lower() == word.lower()), word))
            table = table.setdefault(path[-1], {})
            if not isinstance(table, dict):
                self.problems.append(f"{origin}: {'.'.join(path)} is not a table")
                return
        table[words[-1]] = value
        self.origins[(*path, words[-1])] = origin

    def _merge(self, into: dict[str, Any], content: Mapping[str, Any], path: KeyPath, origin: Any) -> None:
        for name, value in content.items():
            key = (*path, name)
            if name == "type" and name in into and len(key) == 3 and key[0] in SECTIONS:
                there = self.origins.get(key, "before")
                self.problems.append(f"{origin(key)}: {'.'.join(key[:2])} is defined twice, first at {there}")
            if isinstance(value, dict) and isinstance(into.get(name, {}), dict):
                self.origins.setdefault(key, origin(key))
                self._merge(into.setdefault(name, {}), value, key, origin)
            else:
                into[name] = value
                self.origins[key] = origin(key)


def _line(lines: Mapping[KeyPath, int], key: KeyPath) -> int:
    """Its own line, else the first one inside it, else that of the table around it."""
    while key and key not in lines:
        inside = [line for other, line in lines.items() if other[: len(key)] == key]
        if inside:
            return min(inside)
        key = key[:-1]
    return lines.get(key, 1)


def files_beside(path: Path) -> Iterable[Path]:
    """``hub.conf.d/*.conf`` for ``hub.conf``, in the order of their names."""
    return sorted(path.with_name(path.name + ".d").glob("*.conf"))
