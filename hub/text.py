"""Text for people: made safe for a terminal, a log, or a document; numbers with their noun."""

from __future__ import annotations


def printable(text: str) -> str:
    """Control characters, line breaks too, as escapes: a message can forge neither a line nor a colour."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(count: int, noun: str) -> str:
    """``1 message``, ``2 messages``. :param noun: one of whose plural ends with an s more."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def encodable(text: str) -> str:
    """Half a surrogate pair as an escape: Python lets a text hold one, and neither UTF-8 nor JSON can. One in an error
    would be in the status, and no status could be told."""
    return text.encode("utf-8", "backslashreplace").decode()
