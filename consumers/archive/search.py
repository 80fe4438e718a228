"""Search in the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, String, cast, select

from hub.consumers.archive.schema import messages
from hub.topics import compile_pattern

PAGE = 1000


@dataclass(frozen=True)
class Query:
    """Search criteria; ``None``: any value.

    :ivar topic: a pattern, as a consumer's.
    :ivar contains: a text that the body contains.
    """

    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    user: str | None = None
    category: str | None = None
    contains: str | None = None
    limit: int = 100
    oldest_first: bool = False

    def select(self) -> Select[Any]:
        """SQL of the query. Of a topic pattern it has only the literal prefix."""
        columns = messages.c
        wanted: list[ColumnElement[bool]] = []
        if self.topic is not None and (prefix := literal_prefix(self.topic)):
            wanted.append(columns.topic.startswith(prefix, autoescape=True))
        if self.since is not None:
            wanted.append(columns.timestamp >= self.since)
        if self.until is not None:
            wanted.append(columns.timestamp < self.until)
        if self.user is not None:
            wanted.append(columns.agent == self.user)
        if self.category is not None:
            wanted.append(columns.category == self.category)
        if self.contains is not None:
            wanted.append(holds(self.contains))
        order = (columns.timestamp, columns.id)
        return select(messages).where(*wanted).order_by(*(order if self.oldest_first else [c.desc() for c in order]))


def holds(text: str) -> ColumnElement[bool]:
    """Condition that a string or a name in the body contains the text, in any case (on SQLite only for ASCII letters).
    Bodies that are stored as bytes are not searched."""
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    return cast(messages.c.body, String).icontains(written, autoescape=True)


def literal_prefix(pattern: str) -> str:
    """Literal prefix of every matching topic: the pattern up to its first wildcard."""
    words: list[str] = []
    for word in pattern.split("."):
        if word == "#" or word.endswith("*"):
            return ".".join([*words, word[:-1]]) if word != "#" else ".".join(words)
        words.append(word)
    return pattern


def search(engine: Engine, query: Query) -> Iterator[dict[str, Any]]:
    """Yield matching rows, the newest first unless the query says otherwise."""
    pattern = compile_pattern(query.topic) if query.topic is not None else None
    found = 0
    with engine.connect() as connection:
        for row in connection.execution_options(yield_per=PAGE).execute(query.select()).mappings():
            if pattern is None or pattern.fullmatch(row["topic"] + "."):
                yield dict(row)
                found += 1
                if found >= query.limit:
                    return
