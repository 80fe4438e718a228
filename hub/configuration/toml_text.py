"""Values and keys as TOML writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: object) -> str:
    """A text, number, boolean, list or table, on one line; anything else as its text.

    JSON's texts are TOML's, but for the character DEL.
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
    """Bare where it may be, else in quotes."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def toml_path(path: Sequence[str | int]) -> str:
    """A dotted key; places in lists as ``[2]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{toml_key(part)}" for part in path)
    return text.removeprefix(".")
