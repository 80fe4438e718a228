"""Messages that come by two ways: the second one of each is not wanted. Pure but for the clock."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from hub import jsontext
from hub.interfaces import Clock
from hub.message import Message

LIMIT = 1_000_000
"""Messages remembered: some 350 MB. Of more in one window the oldest are forgotten early."""

Key = tuple[str, bytes]


class Duplicates:
    """Remembers ids and contents for a while, in memory: a restart forgets them.

    :param window: seconds. :param monotonic: seconds.
    :ivar duplicates: left out: the same id, topic and content. Of a relayed copy the content is the same also where the
        relay wrote its JSON anew: other spaces, another order of keys.
    :ivar collisions: let through: the same id with other content, for some publishers give one id to several messages.
    """

    def __init__(self, window: float, monotonic: Clock, limit: int = LIMIT) -> None:
        self.duplicates = 0
        self.collisions = 0
        self._window = window
        self._monotonic = monotonic
        self._limit = limit
        # Its first one is at hand at once: a dict looks for it again each time, past all that were forgotten.
        self._seen: OrderedDict[Key, float] = OrderedDict()
        self._contents: dict[str, int] = {}

    def fresh(self, messages: list[Message]) -> list[Message]:
        """Those that did not come before."""
        now = self._monotonic()
        self._forget(now)
        return [message for message in messages if self._is_new(message, now)]

    def _is_new(self, message: Message, now: float) -> bool:
        topic = message.topic.encode("utf-8", "replace")
        content = hashlib.blake2b(b"%d %s" % (len(topic), topic), digest_size=16)
        content.update(jsontext.canonical(message.body))
        key = (message.id, content.digest())
        if key in self._seen:
            self.duplicates += 1
            return False
        contents = self._contents.get(message.id, 0)
        self.collisions += contents > 0
        self._seen[key] = now
        self._contents[message.id] = contents + 1
        return True

    def _forget(self, now: float) -> None:
        """The first ones, in the order in which they came, that are too old or too many."""
        while self._seen:
            key, seen = next(iter(self._seen.items()))
            if now - seen < self._window and len(self._seen) <= self._limit:
                return
            del self._seen[key]
            left = self._contents.pop(key[0]) - 1
            if left:
                self._contents[key[0]] = left
