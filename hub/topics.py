"""Topic patterns: what consumers want, in the words of the configuration."""

from __future__ import annotations

import re

ONE = r"[^.]*\."
ANY = rf"(?:{ONE})*"
"""Words, each with the dot after it."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A topic pattern as a regular expression, to be matched against the topic *with a dot at its end*.

    ``a.b.c`` exactly; ``*`` one word; ``#`` any number of words, also none (as in AMQP 0-9-1, section 3.1.3.3); a last
    word that ends with ``*``, such as ``a.b*``, any ending, dots included, and ``*`` alone everything (moksha's way).

    A match takes no more steps than there are words in the topic times words in the pattern: topics come from anyone.
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
    # What is between two "#" is taken where it comes first, for good: any later place would leave less for the rest.
    return re.compile(first + "".join(rf"(?>{ANY}?{run})" for run in others if run) + last, re.DOTALL)


def with_any_rest(pattern: str) -> str | None:
    """``a.#`` for ``a.*``: what moksha means by a star as the last word; ``None`` for any other pattern."""
    return f"{pattern[:-1]}#" if pattern.endswith(".*") else None
