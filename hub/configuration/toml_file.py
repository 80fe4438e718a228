"""A TOML file of settings: its content, and the line of each key."""

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
    """The content of a file, with line numbers."""

    path: Path
    content: Mapping[str, Any]
    lines: Mapping[KeyPath, int]

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Read a file. :raises ConfigError: it can't be read, or is not TOML; one line, with the place."""
        try:
            text = path.read_text(encoding="utf-8")
            if text.startswith("\ufeff"):
                raise ConfigError([f"{path}:1: it begins with a byte order mark: save it as UTF-8 without one"])
            return cls(path, tomllib.loads(text), key_lines(text))
        except (OSError, ValueError, RecursionError) as error:
            raise ConfigError([f"{path}{_reason(error)}"]) from error

    @classmethod
    def read_above_mistake(cls, path: Path) -> TomlFile:
        """Read what stands above the first mistake of a file that :meth:`read` refuses; nothing if that place is not
        known."""
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
        """The line of the key, or of the first key inside it, or of the table around it."""
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
    # Not only syntax errors: int() refuses a number with too many digits.
    return f": not TOML: {str(error).partition(';')[0]}"
