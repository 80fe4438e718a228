"""Reader of committed messages and dead letters. Thread-safe."""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Kept, OutboxPortion, Run
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError

CACHED_PAGES = 16
"""Number of decoded pages in the cache: queues that are behind tend to read the same pages at the same time."""
CACHED_BYTES = 16 << 20
"""Most bytes of the cached pages, as on the disk. Beyond it only the last one is held, which may be read in steps."""


class TableReader:
    """Reader of the committed tables, with a cache of pages."""

    def __init__(self, tables: t.Tables, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._tables = tables
        self._log = log
        self._cache: OrderedDict[int, tuple[r.Page, list[Message], int]] = OrderedDict()
        self._cached_bytes = 0
        self._cache_lock = threading.Lock()

    @property
    def cached_bytes(self) -> int:
        """Bytes of the cached pages."""
        return self._cached_bytes

    def read(self, queue: int, position: int) -> Iterator[Run]:
        """Yield the messages of a queue from ``position`` on. Damaged pages are logged. :param queue: its number."""
        with self._tables.reading() as transaction:
            cursor = transaction.cursor(self._tables.index)
            for start, page, count in t.covering(cursor, queue, position):
                try:
                    messages = self._of_page(transaction, page, queue, start, count)
                except DamagedError as error:
                    self._log.error("page %d is damaged: %s", page, error, extra={"action": "damaged"})
                    yield Run(max(start, position), [], 0, start + count - max(start, position), str(error))
                else:
                    skip = max(0, position - start)
                    yield run_of(start + skip, messages[skip:])

    def _of_page(self, transaction: Any, number: int, queue: int, start: int, count: int) -> Sequence[Message]:
        page, messages = self.page(transaction, number)
        for owner, first, indexes in page.shares:
            if owner == queue and first == start:
                mine = messages if indexes is None else [messages[index] for index in indexes]
                if len(mine) == count:
                    return mine
        raise DamagedError(f"page {number} does not hold the positions {start} to {start + count}")

    def page(self, transaction: Any, number: int, hold: bool = True) -> tuple[r.Page, list[Message]]:
        """A page with its messages, from the cache or the disk. :raises DamagedError: it is missing or damaged.

        :param hold: whether it is held in the cache, because others will want it soon.
        """
        with self._cache_lock:
            if (found := self._cache.get(number)) is not None:
                self._cache.move_to_end(number)
                return found[:2]
        value = transaction.get(t.number_key(number), db=self._tables.pages)
        if value is None:
            raise DamagedError(f"page {number} is missing")
        page = r.unseal(r.PAGE, r.pages, value)
        messages = page.messages()
        if hold:
            self._hold(number, (page, messages, len(value)))
        return page, messages

    def _hold(self, number: int, found: tuple[r.Page, list[Message], int]) -> None:
        with self._cache_lock:
            self._cached_bytes += found[2] - self._cache.pop(number, (None, None, 0))[2]
            self._cache[number] = found
            while len(self._cache) > CACHED_PAGES or (self._cached_bytes > CACHED_BYTES and len(self._cache) > 1):
                self._cached_bytes -= self._cache.popitem(last=False)[1][2]

    def history(self, queue: int | None, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """Yield pages from the number ``first`` up to, not including, ``stop``: the next page number, and the messages,
        each with its position in ``queue``, a number. Each page is read in its own transaction: a slow reader must not
        keep the log from being trimmed."""
        while first < stop:
            with self._tables.reading() as transaction:
                cursor = transaction.cursor(self._tables.pages)
                if not cursor.set_range(t.number_key(first)):
                    return
                number = t.number_of(bytes(cursor.key()))
                if number >= stop:
                    return
                messages = self._kept_of(number, cursor.value(), queue)
            first = number + 1
            yield first, messages

    def _kept_of(self, number: int, value: bytes, queue: int | None) -> Sequence[Kept]:
        try:
            page = r.unseal(r.PAGE, r.pages, value)
            if page.copy:
                return ()
            positions = _positions(page, queue)
            return [(message, positions.get(index)) for index, message in enumerate(page.messages())]
        except DamagedError as error:
            self._log.error("page %d is damaged: %s", number, error, extra={"action": "damaged"})
            return ()

    def letters(self, queue: int, after: int, size: int, hidden: Container[int] = ()) -> Iterator[DeadLetter]:
        """Yield dead letters of a queue with numbers above ``after``: about ``size`` bytes, but at least one if there
        is one. Letters in ``hidden`` are skipped; damaged ones are logged. :param queue: its number."""
        with self._tables.reading() as transaction:
            for number, value in t.rows_of(transaction.cursor(self._tables.letters), queue, after + 1):
                if size <= 0:
                    return
                if number not in hidden and (letter := self._letter_of(value)) is not None:
                    yield letter
                    size -= len(value)

    def letter(self, queue: int, number: int) -> DeadLetter | None:
        """The dead letter with that number; ``None``: it is missing or damaged."""
        with self._tables.reading() as transaction:
            value = transaction.get(t.place_key(queue, number), db=self._tables.letters)
            return None if value is None else self._letter_of(value)

    def present(self, queue: int, numbers: Iterable[int]) -> list[int]:
        """The numbers of those dead letters that exist."""
        with self._tables.reading() as transaction:
            found = transaction.cursor(self._tables.letters)
            return [number for number in numbers if found.set_key(t.place_key(queue, number))]

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        """Outgoing messages of one backend; see :class:`hub.store.Store`. Damaged ones are logged."""
        found: list[tuple[int, Message]] = []
        last = after
        with self._tables.reading() as transaction:
            cursor = transaction.cursor(self._tables.outbox)
            more = cursor.set_range(t.number_key(after + 1))
            while more and count:
                last, count = t.number_of(cursor.key()), count - 1
                try:
                    if r.outgoing_backend(cursor.value()) == backend:
                        record = r.unseal(r.OUTGOING, r.outgoings, cursor.value())
                        found.append((record.number, r.unflat(record.message)))
                except DamagedError as error:
                    self._log.error("an outgoing message is damaged: %s", error, extra={"action": "damaged"})
                more = cursor.next()
        return OutboxPortion(found, last, more)

    def outbox_counts(self) -> tuple[Mapping[str, int], int]:
        """Number of outgoing messages of each backend, and the highest message number. Damaged ones do not count."""
        counts: Counter[str] = Counter()
        highest = 0
        with self._tables.reading() as transaction:
            for key, value in transaction.cursor(self._tables.outbox).iternext():
                highest = t.number_of(key)
                with suppress(DamagedError):
                    counts[r.outgoing_backend(value)] += 1
        return counts, highest

    def _letter_of(self, value: bytes) -> DeadLetter | None:
        try:
            return r.unseal(r.LETTER, r.letters, value).letter()
        except DamagedError as error:
            self._log.error("a dead letter is damaged: %s", error, extra={"action": "damaged"})
            return None


def _positions(page: r.Page, queue: int | None) -> dict[int, int]:
    """Positions in the queue with that number, by index in the page."""
    return {
        index: start + at
        for owner, start, indexes in page.shares
        if owner == queue
        for at, index in enumerate(range(len(page.ids)) if indexes is None else indexes)
    }


def run_of(start: int, messages: Sequence[Message]) -> Run:
    """Make a run of messages with consecutive positions."""
    return Run(start, messages, sum([len(message.body) for message in messages]), len(messages))
