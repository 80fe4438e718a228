"""A setting from outside the files: an environment variable, or ``--set``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.configuration.masking import masked
from hub.configuration.toml_lines import KeyPath, key_path
from hub.text import printable

PREFIX = "HUBBUB_"


@dataclass(frozen=True)
class Override:
    """An override: the setting, its value, and its origin."""

    words: KeyPath
    value: Any
    origin: str
    """``$HUBBUB_...`` or ``--set a.b.c``."""

    @classmethod
    def of_variable(cls, name: str, raw: str) -> Override | None:
        """Override from ``HUBBUB_SECTION__NAME__KEY``; ``None``: a variable without ``__`` is not a setting."""
        if not name.startswith(PREFIX) or "__" not in name:
            return None
        return cls(tuple(name.removeprefix(PREFIX).lower().split("__")), value_of(raw), f"${name}")

    @classmethod
    def of_flag(cls, text: str) -> Override:
        """Override from ``section.name.key=value``, the key as in TOML. :raises ValueError: it has another form."""
        key, equals, raw = text.partition("=")
        words = key_path(key.strip())
        if not equals or words is None:
            form = printable(masked(key))[:60]
            raise ValueError(f"--set {form}: expected PATH=VALUE, such as consumers.archive.threads=4")
        return cls(words, value_of(raw), f"--set {key.strip()[:200]}")


def value_of(raw: str) -> Any:
    """Parse a value as TOML, or else take the text itself: ``4``, ``true``, ``["a"]``, ``tcp://...``."""
    try:
        found = tomllib.loads(f"value = {raw}")
    except (ValueError, RecursionError):
        return raw
    return found["value"] if len(found) == 1 else raw


def spelled(table: Mapping[str, Any], word: str) -> str:
    """The key of the table that a variable means. Variables have no case, and ``_`` in place of ``-`` and ``.``.
    :raises ValueError: it is ambiguous."""
    if word in table:
        return word
    meant = [name for name in table if re.sub(r"[^a-z0-9]", "_", name.lower()) == word]
    if len(meant) > 1:
        raise ValueError(f"{word!r} may mean {' or '.join(map(repr, meant))}: use --set")
    return meant[0] if meant else word
