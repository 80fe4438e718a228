"""Topic patterns: parses them, and compiles them to regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator

ONE_WORD, ANY_WORDS, START = "*", "#", "..."
"""Kinds of a pattern's tokens: any word, any number of words, and a word's beginning with anything after it. The kind
of a literal word is empty."""

ONE = r"[^.]*\."
ANY = rf"(?:{ONE})*"
"""Any words, each with the dot after it."""


def is_pattern(text: str) -> bool:
    """Tell whether a text can be a topic pattern."""
    return bool(text) and text.isprintable() and not any(map(str.isspace, text))


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a topic pattern to a regular expression, for topics *with a dot at their end*.

    ``a.b.c`` matches exactly; ``*`` one word; ``#`` any number of words, also none (as in AMQP 0-9-1, section 3.1.3.3);
    a last word that ends with ``*``, such as ``a.b*``, any ending, dots included; ``*`` alone matches everything, as in
    moksha.

    A match takes at most the words of the topic times the words of the pattern, because anyone can send topics.
    """
    if pattern == "*":
        return re.compile(r".*", re.DOTALL)
    runs = [""]
    words = pattern.split(".")
    tail = words.pop()[:-1] if words[-1].endswith("*") and words[-1] != "*" else None
    for word in words:
        if word == "#":
            runs.append("")
        else:
            runs[-1] += ONE if word == "*" else re.escape(word) + r"\."
    if tail is not None:
        runs[-1] += re.escape(tail) + ".*"
    first, *others = runs
    last = ANY + others.pop() if others else ""
    # Words between two "#" match at the first possible place, without backtracking: a later place would leave less for
    # the rest.
    return re.compile(first + "".join(rf"(?>{ANY}?{run})" for run in others if run) + last, re.DOTALL)


def tokens(pattern: str) -> Iterator[tuple[str, str]]:
    """Tokens of a pattern, see :func:`compile_pattern`: kind and text of each; :data:`START` only as the last one."""
    words = [ANY_WORDS] if pattern == "*" else pattern.split(".")
    start = words.pop()[:-1] if words[-1].endswith("*") and words[-1] != "*" else None
    for word in words:
        yield (word, "") if word in (ONE_WORD, ANY_WORDS) else ("", word)
    if start is not None:
        yield START, start


def with_any_rest(pattern: str) -> str | None:
    """``a.#`` for ``a.*``, the meaning of a final star in moksha; ``None`` for any other pattern."""
    return f"{pattern[:-1]}#" if pattern.endswith(".*") else None
