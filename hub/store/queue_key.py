"""The identity of a queue: a site and a name."""

from __future__ import annotations

from typing import NamedTuple


class QueueKey(NamedTuple):
    """Key of a queue in the store.

    :ivar site: one of several tenants of a hub; empty for most. :ivar name: name of the consumer.
    """

    site: str
    name: str

    def __str__(self) -> str:
        """``name`` or ``site/name``. It is unique, because names and sites have no slash."""
        return f"{self.site}/{self.name}" if self.site else self.name

    @classmethod
    def of(cls, queue: QueueId) -> QueueKey:
        """Parse a key. :raises ValueError: the text is no valid key."""
        if isinstance(queue, QueueKey):
            return queue
        site, slash, name = queue.rpartition("/")
        if not name or "/" in site or bool(slash) != bool(site):
            raise ValueError(f"expected the name of a queue, NAME or SITE/NAME, not {queue!r}")
        return cls(site, name)


QueueId = str | QueueKey
"""A key or its text. Shares, journals and all results of the store have the text."""
