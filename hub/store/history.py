"""History: pages that all queues have settled, kept for a replay, and their deletion. No threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from hub.interfaces import Clock
from hub.store import Kept
from hub.store import tables as t

TRIM_AT_ONCE = 512
"""Most pages that one commit deletes, so that no commit is slow after a long pause."""
LOOK_AHEAD = 20_000
"""Most pages with a time in the future that are skipped to find one that tells their age; takes 10 ms."""
ROOM = 0.8
"""Share of ``max_disk`` up to which history is kept. The rest is for new messages, which never wait for it."""
STRIDE = 16
"""Pages that are deleted between two measurements of the used space, which cost 10 us each."""


class Retention:
    """Deletion of history. Used in the writer's thread.

    :param keep: seconds that a page is kept after all queues have settled it.
    :param every: seconds between two searches for old pages.
    :ivar limit: most bytes that the store may use, set by any thread; ``None``: no bound.
    """

    def __init__(self, tables: t.Tables, keep: float, every: float, monotonic: Clock) -> None:
        self.limit: int | None = None
        self.exists = True
        """True if there may be history. Without ``keep`` there is only that of an earlier setting."""
        self._tables, self._keep, self._every, self._monotonic = tables, keep, every, monotonic
        self._looked_at = -every
        self._more = False

    @property
    def due(self) -> bool:
        """True if a search for old pages is due."""
        return self.exists and (self._more or self._monotonic() - self._looked_at >= self._every)

    @property
    def crowded(self) -> bool:
        """True if pages remain that should be deleted for room: another commit should follow soon."""
        return self._more

    def expire(self, transaction: Any, now: float, written: int) -> int:
        """Delete pages that are too old, and the oldest while the store is too large. :param now: epoch seconds.

        :param written: number of pages that this commit has written: at least as many may be deleted.
        :returns: number of deleted pages.
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
    """Delete a bounded number of pages that were stored longer ago than ``keep``.

    A page with a time in the future was stored while the clock was ahead. It is as old as the next page with a time in
    the past, because pages are numbered in order. If there is none, it counts as stored now.

    :returns: number of deleted pages, and of pages that got a new time.
    """
    gone, ahead = _old(tables, transaction, now, now - keep)
    delete(tables, transaction, gone)
    if not gone:
        for key in ahead:
            transaction.put(key, t.time_value(now), db=tables.spent)
    return len(gone), 0 if gone else len(ahead)


def _old(tables: t.Tables, transaction: Any, now: float, oldest_kept: float) -> tuple[list[bytes], list[bytes]]:
    """Keys of pages that are too old, and of following pages with a time in the future and no later page."""
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
    """Keys of the oldest ``count`` pages of history."""
    with transaction.cursor(tables.spent) as cursor:
        return [bytes(key) for key in islice(cursor.iternext(values=False), count)]


def delete(tables: t.Tables, transaction: Any, keys: Iterable[bytes]) -> None:
    """Delete pages of history."""
    for key in keys:
        transaction.delete(key, db=tables.spent)
        transaction.delete(key, db=tables.pages)


def received_between(
    pages: Iterable[tuple[int, Sequence[Kept]]], since: float, until: float, now: float
) -> Iterator[Sequence[Kept]]:
    """Messages of these pages received in a period; see :meth:`hub.store.Store.kept`. Times are epoch seconds."""
    before = since
    for _, messages in pages:
        found: list[Kept] = []
        for one in messages:
            received_at = one[0].received_at
            before = before if received_at > now else received_at
            if since <= before < until:
                found.append(one)
        yield found
