"""The router finds the queues, or other targets, for a topic."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Generic, TypeVar

from hub.pattern_tree import PatternTree
from hub.topic_index import TopicIndex

Target = TypeVar("Target")

CACHE_LIMIT = 10_000
"""Topics in the cache. A bus has some hundreds; a sender that invents topics must not fill the memory."""
WORDS_LIMIT = 100_000
"""Words of the topics in the cache."""


class Router(Generic[Target]):
    """Routes topics to targets. Routes change one by one, at a cost that does not grow with their number: a change
    evicts only the cached topics that its pattern matches.

    :param routes: targets with their patterns; a target that matches by several is returned once.
    :ivar cache: targets of topics that were looked up.
    """

    def __init__(self, routes: Iterable[tuple[Sequence[str], Target]] = ()) -> None:
        self._tree: PatternTree[Target] = PatternTree()
        self._patterns: dict[Target, dict[str, None]] = {}
        self._order: dict[Target, int] = {}
        self._orders = itertools.count()
        self._known = TopicIndex()
        self.cache = _Cache(self)
        for patterns, target in routes:
            for pattern in patterns:
                self.add(pattern, target)

    def __len__(self) -> int:
        """Number of targets."""
        return len(self._patterns)

    def add(self, pattern: str, target: Target) -> None:
        """Add a pattern that leads to the target; idempotent."""
        patterns = self._patterns.setdefault(target, {})
        if target not in self._order:
            self._order[target] = next(self._orders)
        if pattern not in patterns:
            patterns[pattern] = None
            self._tree.add(pattern, target)
            self._forget(pattern)

    def remove(self, pattern: str, target: Target) -> None:
        """Remove a pattern of the target. A target without patterns is removed."""
        patterns = self._patterns.get(target, {})
        if pattern in patterns:
            del patterns[pattern]
            self._tree.remove(pattern, target)
            self._forget(pattern)
        if not patterns:
            self._patterns.pop(target, None)
            self._order.pop(target, None)

    def assign(self, target: Target, patterns: Collection[str]) -> None:
        """Replace all patterns of the target; without any, it is removed."""
        before = [*self._patterns.get(target, ())]
        for pattern in patterns:
            self.add(pattern, target)
        for pattern in before:
            if pattern not in patterns:
                self.remove(pattern, target)

    def route(self, topic: str) -> tuple[Target, ...]:
        """Targets that match the topic, in the order in which they were added; the same tuple for the same topic."""
        return self.cache[topic]

    def match(self, topic: str) -> tuple[Target, ...]:
        """Find the targets without the cache."""
        return tuple(sorted(self._tree.match(topic), key=self._order.__getitem__))

    def remember(self, topic: str) -> None:
        """Count a topic that enters the cache. A full cache is emptied first."""
        if len(self.cache) >= CACHE_LIMIT or self._known.words >= WORDS_LIMIT:
            self.cache.clear()
            self._known.clear()
        self._known.add(topic)

    def _forget(self, pattern: str) -> None:
        for topic in self._known.matching(pattern):
            self._known.discard(topic)
            del self.cache[topic]


class _Cache(dict[str, tuple[Target, ...]]):
    """The cache. A dict, not an LRU: a hit costs the reactor one C call."""

    def __init__(self, router: Router[Target]) -> None:
        super().__init__()
        self._router = router

    def __missing__(self, topic: str) -> tuple[Target, ...]:
        targets = self._router.match(topic)
        self._router.remember(topic)
        self[topic] = targets
        return targets
