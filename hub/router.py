"""Which queues want a topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

from hub.topics import compile_pattern

Target = TypeVar("Target")

CACHE_LIMIT = 10_000
"""Topics remembered. A bus has some hundreds; whoever makes up topics without end must not fill the memory."""


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
