"""Prefix subscriptions of ZeroMQ, computed from topic patterns."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from itertools import islice, takewhile


def prefix(pattern: str) -> bytes:
    """Longest prefix that all matching topics share: the pattern up to its first wildcard.

    ``a.#`` matches ``a`` too, so its dot is not part of it.
    """
    cut = min((at for at in (pattern.find("*"), pattern.find("#")) if at >= 0), default=len(pattern))
    stem = pattern[:cut]
    return (stem.removesuffix(".") if pattern[cut : cut + 1] == "#" else stem).encode()


class Prefixes:
    """Smallest set of prefix subscriptions that covers all patterns. It may bring more; the hub's router filters that.

    The cost of a change is that of the prefixes that start with the changed one.

    :ivar asked: the subscribed prefixes; none of them starts with another one.
    """

    def __init__(self) -> None:
        self.asked: set[bytes] = set()
        self._patterns: set[str] = set()
        self._counts: Counter[bytes] = Counter()
        self._sorted: list[bytes] = []

    def add(self, patterns: Iterable[str]) -> tuple[set[bytes], set[bytes]]:
        """Add patterns. :returns: the prefixes to subscribe to, and those to unsubscribe from."""
        before: dict[bytes, bool] = {}
        for pattern in {*patterns} - self._patterns:
            self._patterns.add(pattern)
            added = prefix(pattern)
            self._counts[added] += 1
            if self._counts[added] == 1:
                insort(self._sorted, added)
                if not self._covered(added):
                    self._ask(before, added, True)
                    for longer in self._longer(added):
                        self._ask(before, longer, False)
        return self._changed(before)

    def remove(self, patterns: Iterable[str]) -> tuple[set[bytes], set[bytes]]:
        """Remove patterns. :returns: the prefixes to subscribe to, and those to unsubscribe from."""
        before: dict[bytes, bool] = {}
        for pattern in self._patterns.intersection(patterns):
            self._patterns.remove(pattern)
            removed = prefix(pattern)
            self._counts[removed] -= 1
            if not self._counts[removed]:
                del self._counts[removed], self._sorted[bisect_left(self._sorted, removed)]
                if removed in self.asked:
                    self._ask(before, removed, False)
                    for longer in self._longer(removed):
                        self._ask(before, longer, not self._covered(longer))
        return self._changed(before)

    def _ask(self, before: dict[bytes, bool], prefix: bytes, asked: bool) -> None:
        before.setdefault(prefix, prefix in self.asked)
        (self.asked.add if asked else self.asked.discard)(prefix)

    def _changed(self, before: dict[bytes, bool]) -> tuple[set[bytes], set[bytes]]:
        new = {prefix for prefix, asked in before.items() if prefix in self.asked and not asked}
        return new, {prefix for prefix, asked in before.items() if asked and prefix not in self.asked}

    def _covered(self, candidate: bytes) -> bool:
        return any(candidate[:length] in self.asked for length in range(len(candidate)))

    def _longer(self, shorter: bytes) -> list[bytes]:
        """Prefixes that start with this one, sorted, without itself."""
        following = islice(self._sorted, bisect_left(self._sorted, shorter), None)
        return [one for one in takewhile(lambda one: one.startswith(shorter), following) if one != shorter]


def prefixes(patterns: Iterable[str]) -> set[bytes]:
    """Smallest set of prefix subscriptions for these patterns."""
    return Prefixes().add(patterns)[0]
