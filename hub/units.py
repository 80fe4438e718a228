"""Parses and formats durations, sizes and paths: ``"1h30m"``, ``"8MiB"``, ``"state"``."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_DURATION_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d|w)")
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(B|kB|MB|GB|KiB|MiB|GiB)\s*")


def parse_duration(value: object) -> float:
    """Parse a duration into seconds: ``"250ms"``, ``"30s"``, ``"1h30m"``, a ``timedelta``, or a number of seconds.

    :raises ValueError: it is none of these, negative, or not finite.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if 0 <= value < float("inf"):
            return float(value)
    elif isinstance(value, str):
        parts = list(_DURATION_PART.finditer(value))
        if parts and "".join(part.group() for part in parts) == value.rstrip():
            return sum(float(part.group(1)) * _SECONDS[part.group(2)] for part in parts)
    raise ValueError(f"expected a duration such as '250ms', '30s' or '1h30m', not {value!r}")


def parse_size(value: object) -> int:
    """Parse a size into bytes: ``"64KiB"``, ``"8MiB"``, or a whole number of bytes.

    :raises ValueError: it is neither, or negative.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return int(float(match.group(1)) * _BYTES[match.group(2)])
    raise ValueError(f"expected a size such as '64KiB' or '8MiB', not {value!r}")


def parse_path(value: object, directory: str | Path) -> Path:
    """Parse a path, relative to ``directory``. :raises ValueError: it is not a path, or begins with ``~``."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"expected a path, not {value!r}")
    if value.startswith("~"):
        raise ValueError(f"expected an absolute path, or one relative to this file: '~' is not expanded: {value!r}")
    return Path(directory, value)


def format_duration(seconds: float) -> str:
    """Format a duration in its two largest units: ``0.25`` is ``250ms``, ``4000`` is ``1h 6m``."""
    if seconds < 0.9995:
        small = f"{seconds * 1e6:.0f}us" if seconds < 0.001 else f"{seconds * 1000:.0f}ms"
        return small if seconds else "0s"
    if seconds < 59.5:
        return f"{seconds:.1f}".removesuffix(".0") + "s" if seconds < 9.95 else f"{seconds:.0f}s"
    whole = round(seconds)
    for unit, below in (("d", "h"), ("h", "m"), ("m", "s")):
        size = int(_SECONDS[unit])
        if whole >= size:
            rest = whole % size // int(_SECONDS[below])
            return f"{whole // size}{unit}" + (f" {rest}{below}" if rest else "")
    return f"{whole}s"


def format_size(count: float) -> str:
    """Format a size: ``1536`` is ``1.5KiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.1f}".removesuffix(".0") + unit
        count /= 1024
    return f"{count:.1f}".removesuffix(".0") + "TiB"
