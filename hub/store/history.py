"""History: pages that all queues are done with, kept for a replay. Which of them go, and when. Pure of threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from hub.interfaces import Clock
from hub.store import Kept
from hub.store import tables as t

TRIM_AT_ONCE = 512
"""Pages that one commit deletes: the backlog of a long pause must not make one of them slow."""
LOOK_AHEAD = 20_000
"""Pages with a time that is still to come which are looked past, for one that tells how old they are: 10 ms."""
ROOM = 0.8
"""Share of ``max_disk`` up to which there may be history. The rest is for what comes, which never waits for it."""
STRIDE = 16
"""Pages that are deleted between two looks at how much is in use: a look costs 10 us."""


class History:
    """When pages go. Belongs to the writer's thread.

    :param keep: seconds that a page is kept after all are done with it.
    :param every: seconds between two looks for old pages.
    :ivar limit: bytes that the store may have in use, from any thread; ``None``: no bound.
    """

    def __init__(self, tables: t.Tables, keep: float, every: float, monotonic: Clock) -> None:
        self.limit: int | None = None
        self.exists = True
        """Whether there may be some. Without ``keep`` there is nothing but what an earlier setting has left."""
        self._tables, self._keep, self._every, self._monotonic = tables, keep, every, monotonic
        self._looked_at = -every
        self._more = False

    @property
    def due(self) -> bool:
        """Whether it is time to look for old pages."""
        return self.exists and (self._more or self._monotonic() - self._looked_at >= self._every)

    @property
    def crowded(self) -> bool:
        """Whether pages had to stay that there is no room for: there should be another commit soon."""
        return self._more

    def expire(self, transaction: Any, now: float, written: int) -> int:
        """Delete what is too old, and the oldest while there is too much. :param now: epoch seconds.

        :param written: pages that this commit has written: as many and more may go for them.
        :returns: how many went.
        """
        count = 0
        if self.due:
            count, restamped = expire_old(self._tables, transaction, now, self._keep)
            if not count and not restamped:
                self._looked_at = self._monotonic()
                self.exists = bool(self._keep)
        return count + self._yield_room(transaction, max(TRIM_AT_ONCE, 2 * written))

    def _yield_room(self, transaction: Any, most: int) -> int:
        count, self._more = 0, False
        while self.limit is not None and self._tables.used(transaction) > self.limit * ROOM:
            gone = oldest(self._tables, transaction, STRIDE)
            delete(self._tables, transaction, gone)
            count += len(gone)
            if count >= most or not gone:
                self._more = bool(gone)
                break
        return count


def expire_old(tables: t.Tables, transaction: Any, now: float, keep: float) -> tuple[int, int]:
    """Delete pages that were stored longer ago than ``keep``; a bounded number.

    A page whose time is still to come was stored while the clock was ahead. It is as old as the next one whose time is
    not, for pages are numbered as they come. Where there is none, it counts as stored now.

    :returns: how many went, and how many were given a new time.
    """
    gone, ahead = _old(tables, transaction, now, now - keep)
    delete(tables, transaction, gone)
    if not gone:
        for key in ahead:
            transaction.put(key, t.time_value(now), db=tables.spent)
    return len(gone), 0 if gone else len(ahead)


def _old(tables: t.Tables, transaction: Any, now: float, oldest_kept: float) -> tuple[list[bytes], list[bytes]]:
    """Keys of pages that are too old; and of those, right after them, which lie ahead, with none to tell their age."""
    gone: list[bytes] = []
    ahead: list[bytes] = []
    with transaction.cursor(tables.spent) as cursor:
        for key, value in islice(cursor.iternext(), LOOK_AHEAD):
            stored_at = t.time_of(value)
            if stored_at > now:
                ahead.append(bytes(key))
                continue
            if stored_at > oldest_kept:
                ahead = []
                break
            gone += [*ahead, bytes(key)]
            ahead = []
            if len(gone) >= TRIM_AT_ONCE:
                break
    return gone[:TRIM_AT_ONCE], ahead[:TRIM_AT_ONCE]


def oldest(tables: t.Tables, transaction: Any, count: int) -> list[bytes]:
    """Keys of the oldest pages of history."""
    with transaction.cursor(tables.spent) as cursor:
        return [bytes(key) for key in islice(cursor.iternext(values=False), count)]


def delete(tables: t.Tables, transaction: Any, keys: Iterable[bytes]) -> None:
    """These pages of history."""
    for key in keys:
        transaction.delete(key, db=tables.spent)
        transaction.delete(key, db=tables.pages)


def received_between(
    pages: Iterable[tuple[int, Sequence[Kept]]], since: float, until: float, now: float
) -> Iterator[Sequence[Kept]]:
    """Of these pages, in order; see :meth:`hub.store.Store.kept`. Times are epoch seconds."""
    before = since
    for _, messages in pages:
        found: list[Kept] = []
        for one in messages:
            received_at = one[0].received_at
            before = before if received_at > now else received_at
            if since <= before < until:
                found.append(one)
        yield found
