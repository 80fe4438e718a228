"""Writes values as in a configuration: exactly, or in a few words for a problem."""

from __future__ import annotations

from decimal import Decimal

from hub.text import printable
from hub.units import parse_duration

_SIZES = (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10))


def exact_duration(seconds: float) -> str:
    """Write a duration that :func:`~hub.units.parse_duration` reads back exactly: ``1h6m40s``, ``250ms``."""
    whole, text = int(seconds), ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, whole = divmod(whole, size)
        text += f"{count}{unit}" if count else ""
    micros = round(seconds % 1 * 1e6)
    if micros == 0 and whole == 0:
        text = text or "0s"
    elif whole or text:
        text += f"{whole + micros / 1e6:.6f}".rstrip("0").rstrip(".") + "s"
    else:
        text = f"{micros // 1000}ms" if micros % 1000 == 0 else f"{micros}us"
    return text if parse_duration(text) == seconds else f"{Decimal(repr(seconds)):f}s"


def exact_size(count: int) -> str:
    """Write a size that :func:`~hub.units.parse_size` reads back exactly: ``1536`` is ``1536B``, ``8192`` is
    ``8KiB``."""
    for unit, size in _SIZES:
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return f"{count}B"


def shown(value: object, limit: int = 60) -> str:
    """Describe a value in a few words: texts are quoted and cut, lists and tables only named."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 128:
        return "so large a number"
    if isinstance(value, str) and len(value) > limit:
        return f"{printable(value[:limit])!r}..."
    return printable(repr(value) if isinstance(value, (str, int, float, bytes)) else str(value))[: 2 * limit]
