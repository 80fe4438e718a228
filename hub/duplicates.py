"""Detects duplicates: messages that arrive over two routes. Pure except for the clock."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from hub import jsontext
from hub.interfaces import Clock
from hub.message import Message
from hub.placements import Placements
from hub.queue.queue import Queue

LIMIT = 1_000_000
"""Messages remembered, some 350 MB. Beyond it the oldest of the window are forgotten early."""

Key = tuple[str, bytes]


class Duplicates:
    """Remembers ids and contents of messages for a while, in memory: a restart forgets them.

    :param window: seconds. :param monotonic: seconds.
    :ivar duplicates: number of messages left out: same id, topic and content. JSON that a relay wrote anew (other
        spaces, another order of keys) counts as the same content.
    :ivar collisions: number of messages with a known id and other content. They are let through: some publishers reuse
        ids.
    """

    def __init__(self, window: float, monotonic: Clock, limit: int = LIMIT) -> None:
        self.duplicates = 0
        self.collisions = 0
        self._window = window
        self._monotonic = monotonic
        self._limit = limit
        # An OrderedDict finds its first item in constant time; a dict scans past all deleted ones.
        self._seen: OrderedDict[Key, tuple[float, Placements | None, int]] = OrderedDict()
        self._contents: dict[str, int] = {}

    def fresh(self, messages: list[Message], placements: Placements | None = None) -> list[Message]:
        """Return the messages that did not come before. :param placements: those of what is returned, filled later."""
        now = self._monotonic()
        self._forget(now)
        fresh: list[Message] = []
        for message in messages:
            if self._is_new(message, (now, placements, len(fresh))):
                fresh.append(message)
        return fresh

    def first_of(self, message: Message) -> list[tuple[Queue, int]]:
        """Queues and positions of the first copy of a duplicate, as far as they are known."""
        seen = self._seen.get(_key(message))
        if seen is None or seen[1] is None:
            return []
        return seen[1].of(seen[2])

    def _is_new(self, message: Message, seen: tuple[float, Placements | None, int]) -> bool:
        key = _key(message)
        if key in self._seen:
            self.duplicates += 1
            return False
        contents = self._contents.get(message.id, 0)
        self.collisions += contents > 0
        self._seen[key] = seen
        self._contents[message.id] = contents + 1
        return True

    def _forget(self, now: float) -> None:
        """Forget the oldest entries that are too old or too many."""
        while self._seen:
            key, (seen, _, _) = next(iter(self._seen.items()))
            if now - seen < self._window and len(self._seen) <= self._limit:
                return
            del self._seen[key]
            left = self._contents.pop(key[0]) - 1
            if left:
                self._contents[key[0]] = left


def _key(message: Message) -> Key:
    topic = message.topic.encode("utf-8", "replace")
    content = hashlib.blake2b(b"%d %s" % (len(topic), topic), digest_size=16)
    content.update(jsontext.canonical(message.body))
    return message.id, content.digest()
