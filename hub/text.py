"""Text from the bus, made safe for a terminal or a log."""

from __future__ import annotations


def printable(text: str) -> str:
    """Control characters, line breaks too, as escapes: a message can forge neither a line nor a colour."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
