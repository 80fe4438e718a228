"""Holes in publishers' ``seq_id`` numbers: messages that were sent and never came."""

from __future__ import annotations

from collections.abc import Collection

Publisher = tuple[str, str, str]
"""Who counts: the address its connection comes from, its certificate (or user name where it signs nothing), and the
first three words of the topic (fedmsg's ``PREFIX.ENVIRONMENT.MODNAME``). fedmsg numbers per store of a service, and
names no publisher on the wire; these three tell apart hosts, users and services, also behind one relay."""

_RESTART = 1_000_000
"""A jump beyond this is a new numbering, not a million lost messages."""


class Gaps:
    """Counts missing messages per publisher, the most recently heard ``limit`` of them.

    A publisher is only followed while *everything* under its three words is subscribed: of a narrower subscription
    the holes are wanted. Going back is a restart or a replay, not a gap.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.missing = 0
        self._limit = limit
        self._last: dict[Publisher, int] = {}
        self._prefixes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._last)

    def watch(self, prefixes: Collection[bytes]) -> None:
        """The subscriptions have changed. Numbers are forgotten: what was not subscribed did not come."""
        self._prefixes = tuple(prefix.decode() for prefix in prefixes)
        self._last.clear()

    def note(self, publisher: Publisher, number: int) -> int:
        """A message came. Returns how many are missing before it."""
        if not publisher[2].startswith(self._prefixes):
            return 0
        last = self._last.pop(publisher, None)
        if last is None and len(self._last) >= self._limit:
            del self._last[next(iter(self._last))]
        self._last[publisher] = number
        if last is None or not 1 < number - last <= _RESTART:
            return 0
        missing = number - last - 1
        self.missing += missing
        return missing


def stem(topic: str) -> str:
    """The first three words of a topic, each with its dot."""
    words = topic.split(".", 3)
    return ".".join(words[:3]) + "."
