"""Writes values and keys as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: object) -> str:
    """Write a text, number, boolean, list or table on one line; anything else as its ``str``.

    JSON strings are TOML strings, except for the character DEL.
    """
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, (list, tuple, set, frozenset)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    if not isinstance(value, (str, bool, int)):
        value = str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(key: str) -> str:
    """Write a key, with quotes only where it needs them."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def toml_path(path: Sequence[str | int]) -> str:
    """Write a dotted key; indexes of lists as ``[2]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{toml_key(part)}" for part in path)
    return text.removeprefix(".")
