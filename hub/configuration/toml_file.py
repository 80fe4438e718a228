"""One file of settings: what is in it, and on which line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.configuration.toml_lines import KeyPath, key_lines
from hub.errors import ConfigError

_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")


@dataclass(frozen=True)
class TomlFile:
    """A file that was read."""

    path: Path
    content: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """From the disk. :raises ConfigError: it can't be read, or is not TOML; in one line, with its place."""
        try:
            text = path.read_text(encoding="utf-8")
            if text.startswith("\ufeff"):
                raise ConfigError([f"{path}:1: it begins with a byte order mark: save it as UTF-8 without one"])
            return cls(path, tomllib.loads(text), key_lines(text))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError([f"{path}{_reason(error)}"]) from error

    @classmethod
    def read_above_mistake(cls, path: Path) -> TomlFile:
        """Of a file that :meth:`read` refuses, what stands above its first mistake; if that can't be told, nothing."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, ValueError):
            lines = []
        while True:
            text = "\n".join(lines)
            try:
                return cls(path, tomllib.loads(text), key_lines(text))
            except (ValueError, RecursionError) as error:
                located = _AT.fullmatch(str(error))
                lines = lines[: int(located.group(2)) - 1 if located else -1]

    def line(self, key: KeyPath) -> int:
        """That of the key, else the first one inside it, else that of the table around it."""
        while key and key not in self.lines:
            inside = [line for other, line in self.lines.items() if other[: len(key)] == key]
            if inside:
                return min(inside)
            key = key[:-1]
        return self.lines.get(key, 1)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f": not UTF-8: {error.reason} at byte {error.start}"
    if isinstance(error, OSError):
        return f": can't be read: {error.strerror or error}"
    if isinstance(error, RecursionError):
        return ": not TOML: nested too deeply"
    if located := _AT.fullmatch(str(error)):
        return f":{located.group(2)}:{located.group(3)}: not TOML: {located.group(1)}"
    # Also what is no fault of the syntax: a number with more digits than int() takes.
    return f": not TOML: {str(error).partition(';')[0]}"
