"""Reader of the log itself, whichever queues its messages went to. Thread-safe.

Pages are numbered in the order of arrival, and no number is used twice.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from hub.message import Message
from hub.store import PER_PAGE, LogPortion, Wanted
from hub.store import tables as t
from hub.store.reader import CACHED_PAGES, TableReader
from hub.store.records import DamagedError

STEP_BYTES = 256 << 10
"""Bytes of wanted bodies after which a step ends, with its page."""
STEP_MESSAGES = 1000
"""Wanted messages after which a step ends, with its page."""
STEP_PAGES = 64
"""Pages of a step at most: its transaction, which keeps the store from reusing space, must be short."""
STEP_TIMES = 4096
"""Pages of a step at most if only their times are looked at."""


class DurableLogReader:
    """A :class:`~hub.store.interface.LogReader` on the disk.

    :param reader: reads pages; those that were written last by way of its cache.
    """

    def __init__(self, tables: t.Tables, reader: TableReader, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._tables, self._reader, self._log = tables, reader, log

    def end(self) -> int:
        """The offset after all committed messages."""
        with self._tables.reading() as transaction:
            return t.following_page(transaction, self._tables) * PER_PAGE

    def since(self, time: float) -> int:
        """An offset before which nothing was received at that time or later. Only the times of pages of history are
        looked at, no messages."""
        number, found = 0, False
        while not found:
            number, found = self._look_since(time, number)
        return number * PER_PAGE

    def _look_since(self, time: float, number: int) -> tuple[int, bool]:
        """Look in one step. :param number: of the first page. :returns: number of a page, and whether ``since`` wants
        it; if not, the next step begins there."""
        with self._tables.reading() as transaction:
            spent, pages = transaction.cursor(self._tables.spent), transaction.cursor(self._tables.pages)
            more = pages.set_range(t.number_key(number))
            for _ in range(STEP_TIMES):
                if not more:
                    return t.following_page(transaction, self._tables), True
                key = bytes(pages.key())
                number = t.number_of(key)
                if not spent.set_key(key) or t.time_of(bytes(spent.value())) >= time:
                    return number, True
                more = pages.next()
        return number + 1, False

    def last(self, wanted: Wanted, below: int) -> tuple[int | None, int]:
        """Look for the last wanted message below an offset, in one step; see the interface."""
        with self._tables.reading() as transaction:
            cursor = transaction.cursor(self._tables.pages)
            more = cursor.prev() if cursor.set_range(t.number_key(below // PER_PAGE)) else cursor.last()
            for _ in range(STEP_PAGES):
                if not more:
                    return None, 0
                number = t.number_of(bytes(cursor.key()))
                found = [at for at, one in enumerate(self._messages(transaction, number, False)) if wanted(one)]
                if found:
                    return number * PER_PAGE + found[-1], number * PER_PAGE
                more = cursor.prev()
        return None, number * PER_PAGE

    def read(self, offset: int, wanted: Wanted) -> LogPortion:
        """Read wanted messages from an offset on, in one step. Damaged pages are logged, and left out."""
        number, index = divmod(offset, PER_PAGE)
        found: list[tuple[int, Message]] = []
        size, following = 0, offset
        with self._tables.reading() as transaction:
            cached_from = t.following_page(transaction, self._tables) - CACHED_PAGES
            cursor = transaction.cursor(self._tables.pages)
            more = cursor.set_range(t.number_key(number))
            missing = number > 0 and more and t.number_of(bytes(cursor.key())) > number
            for _ in range(STEP_PAGES):
                if not more or size >= STEP_BYTES or len(found) >= STEP_MESSAGES:
                    break
                at = t.number_of(bytes(cursor.key()))
                messages = self._messages(transaction, at, at >= cached_from)
                first = index if at == number else 0
                mine = [(at * PER_PAGE + place, one) for place, one in enumerate(messages) if place >= first]
                mine = [one for one in mine if wanted(one[1])]
                found += mine
                size += sum([len(one.body) for _, one in mine])
                following = (at + 1) * PER_PAGE
                more = cursor.next()
        return LogPortion(found, following, not more, missing)

    def _messages(self, transaction: Any, number: int, cached: bool) -> Sequence[Message]:
        """The messages of a page; none of one that was put into queues without routing, or is damaged."""
        try:
            page, messages = self._reader.page(transaction, number, cached)
        except DamagedError as error:
            self._log.error("page %d is damaged: %s", number, error, extra={"action": "damaged"})
            return ()
        return () if page.copy else messages
