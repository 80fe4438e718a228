"""Topic patterns: what consumers want, in the words of the configuration."""

from __future__ import annotations

import re


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A topic pattern as a regular expression, to be matched against the topic *with a dot at its end*.

    ``a.b.c`` exactly; ``*`` one word; ``#`` any number of words, also none (as in AMQP 0-9-1, section 3.1.3.3); a last
    word that ends with ``*``, such as ``a.b*``, any ending, dots included, and ``*`` alone everything (moksha's way).
    """
    words = pattern.split(".")
    if pattern == "*":
        return re.compile(r".*", re.DOTALL)
    tail = ""
    if words[-1].endswith("*") and words[-1] != "*":
        tail = re.escape(words.pop()[:-1]) + ".*"
    parts = {"*": r"[^.]*\.", "#": r"(?:[^.]*\.)*"}
    return re.compile("".join(parts.get(word, re.escape(word) + r"\.") for word in words) + tail, re.DOTALL)
