"""Which queues want a topic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

Target = TypeVar("Target")

CACHE_LIMIT = 10_000
"""Topics remembered. A bus has some hundreds; whoever makes up topics without end must not fill the memory."""


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


class Router(Generic[Target]):
    """Topic to targets; unchangeable, so that a reload swaps the whole of it at once.

    :param routes: each target with the patterns it wants; a target that matches by several is returned once.
    """

    def __init__(self, routes: Iterable[tuple[Sequence[str], Target]]) -> None:
        self._routes = [([compile_pattern(pattern) for pattern in patterns], target) for patterns, target in routes]
        self.cache = _Cache(self)

    def route(self, topic: str) -> tuple[Target, ...]:
        """The targets that want it, in the order in which they were given; the same tuple for the same topic."""
        return self.cache[topic]

    def match(self, topic: str) -> tuple[Target, ...]:
        """As ``route``, worked out anew."""
        dotted = topic + "."
        return tuple(target for patterns, target in self._routes if any(p.fullmatch(dotted) for p in patterns))


class _Cache(dict[str, tuple[Target, ...]]):
    """A dict and not an LRU: a hit costs the reactor one C call. Full, it starts over."""

    def __init__(self, router: Router[Target]) -> None:
        super().__init__()
        self._router = router

    def __missing__(self, topic: str) -> tuple[Target, ...]:
        if len(self) >= CACHE_LIMIT:
            self.clear()
        targets = self[topic] = self._router.match(topic)
        return targets
