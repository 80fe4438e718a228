"""Text for people: safe for a terminal, a log or a document; numbers with their nouns."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice

MOST_NAMED = 20
"""Most names in an error: each client may have queues."""


def printable(text: str) -> str:
    """Escape control characters and line breaks, so that a message can forge neither a line nor a colour."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 message``, ``2 messages``. :param noun: a noun whose plural adds an s."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def encodable(text: str) -> str:
    """Escape half surrogate pairs: Python's texts can hold them, UTF-8 and JSON can't. One in an error's text would
    make the whole status unwritable."""
    return text.encode("utf-8", "backslashreplace").decode()


def first_sentence(text: str) -> str:
    """The first sentence of a text, on one line, without the full stop."""
    return re.split(r"\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]


def some_of(names: Collection[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(islice(names, MOST_NAMED)) + (f" and {more} more" if more > 0 else "") or "none"


def meant(word: str, known: Collection[str]) -> str:
    """The end of an error about an unknown word: ``; did you mean 'that'?``. Empty: none of the known words is near."""
    from difflib import get_close_matches  # commands that make no mistake start without it

    near = get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
