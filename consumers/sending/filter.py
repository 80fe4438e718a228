"""Filters: which of a consumer's messages are sent, by topic and by fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator

from hub.consumers.sending.field import Content, Field, Lacking, parse
from hub.topics import compile_pattern, is_pattern

INCLUDE_HELP = (
    "Send only messages that have all of these fields with one of the texts given for each ('*' stands for any "
    'characters): {"body.msg.user" = ["ann", "b*"]}. Under \'topic\' stand topic patterns.'
)
EXCLUDE_HELP = "Send no messages that have any of these fields with one of its texts; written as 'include'."


class _Condition:
    """A field, and the texts that it may have."""

    def __init__(self, field: Field, texts: Sequence[str]) -> None:
        self._field = field
        self._topic = field.kind == "topic"
        self._patterns = [compile_pattern(text) if self._topic else _compile(text) for text in texts]

    def holds(self, content: Content) -> bool:
        """True if the message has the field, with one of the texts."""
        try:
            text = content.text(self._field)
        except Lacking:
            return False
        text = f"{text}." if self._topic else text
        return any(pattern.fullmatch(text) for pattern in self._patterns)


class Filter:
    """A filter. :param include: all of them must hold. :param exclude: none of them may hold. Both: see
    :data:`Conditions`. :raises ValueError: a path or a pattern is wrong."""

    def __init__(self, include: Mapping[str, Sequence[str]], exclude: Mapping[str, Sequence[str]]) -> None:
        self._include, self._exclude = _conditions(include), _conditions(exclude)

    def wants(self, content: Content) -> bool:
        """True if the message is to be sent."""
        return all(each.holds(content) for each in self._include) and not any(
            each.holds(content) for each in self._exclude
        )


def _conditions(table: Mapping[str, Sequence[str]]) -> list[_Condition]:
    return [_Condition(parse(path), texts) for path, texts in table.items()]


def _compile(text: str) -> re.Pattern[str]:
    """A text with stars. Between two stars it matches at the first possible place, so no message makes it slow."""
    first, *others = (re.escape(part) for part in text.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    *between, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in between if part) + ".*" + last, re.DOTALL)


def _checked(table: dict[str, list[str]]) -> dict[str, list[str]]:
    for path, texts in table.items():
        field = parse(path)
        if not texts:
            raise ValueError(f"{path!r} has no texts: nothing would match")
        for text in texts:
            if field.kind == "topic" and not is_pattern(text):
                raise ValueError(f"expected topic patterns such as 'a.b.*' or 'a.#' under 'topic', not {text!r}")
    return table


Conditions = Annotated[dict[str, list[str]], AfterValidator(_checked)]
"""Type of the settings ``include`` and ``exclude``: paths of fields with the texts that they may have."""
