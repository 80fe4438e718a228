"""Text from the bus, made safe for a terminal, a log, or a document."""

from __future__ import annotations


def printable(text: str) -> str:
    """Control characters, line breaks too, as escapes: a message can forge neither a line nor a colour."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def encodable(text: str) -> str:
    """Half a surrogate pair as an escape: Python lets a text hold one, and neither UTF-8 nor JSON can. One in an error
    would be in the status, and no status could be told."""
    return text.encode("utf-8", "backslashreplace").decode()
