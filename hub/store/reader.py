"""Reads messages and dead letters back. In any thread."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Kept, Outgoing, Run
from hub.store import records as r
from hub.store import tables as t
from hub.store.records import DamagedError

CACHED_PAGES = 16
"""Pages that are held decoded: queues that are behind tend to read the same ones at about the same time."""
CACHED_BYTES = 16 << 20
"""Of them, as they are on the disk; beyond, only the last one is held, which a queue may need message by message."""


class Reader:
    """Sees what was committed."""

    def __init__(self, tables: t.Tables, log: logging.LoggerAdapter[logging.Logger]) -> None:
        self._tables = tables
        self._log = log
        self._cache: OrderedDict[int, tuple[r.Page, list[Message], int]] = OrderedDict()
        self._cached_bytes = 0
        self._cache_lock = threading.Lock()

    @property
    def cached_bytes(self) -> int:
        """Of the pages that are kept in memory."""
        return self._cached_bytes

    def read(self, queue: int, position: int) -> Iterator[Run]:
        """The messages of the queue of that number, from that position on. Damaged pages are logged."""
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

    def page(self, transaction: Any, number: int) -> tuple[r.Page, list[Message]]:
        """With its messages, from the disk or from memory. :raises DamagedError: it is not as written."""
        with self._cache_lock:
            if (found := self._cache.get(number)) is not None:
                self._cache.move_to_end(number)
                return found[:2]
        value = transaction.get(t.number_key(number), db=self._tables.pages)
        if value is None:
            raise DamagedError(f"page {number} is missing")
        page = r.unseal(r.PAGE, r.pages, value)
        messages = page.messages()
        self._hold(number, (page, messages, len(value)))
        return page, messages

    def _hold(self, number: int, found: tuple[r.Page, list[Message], int]) -> None:
        with self._cache_lock:
            self._cached_bytes += found[2] - self._cache.pop(number, (None, None, 0))[2]
            self._cache[number] = found
            while len(self._cache) > CACHED_PAGES or (self._cached_bytes > CACHED_BYTES and len(self._cache) > 1):
                self._cached_bytes -= self._cache.popitem(last=False)[1][2]

    def history(self, queue: int | None, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """Page by page, from the number ``first`` up to, not including, ``stop``: the number after it, and its
        messages, each with its position in the queue of that number. Each in a transaction of its own: a reader that
        takes its time must not keep the log from being trimmed."""
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
        """The dead letters of the queue of that number, with numbers above ``after``: about ``size`` bytes of them, but
        one at least, if there is one. Those of the numbers in ``hidden`` are passed over; damaged ones are logged."""
        with self._tables.reading() as transaction:
            cursor = transaction.cursor(self._tables.letters)
            found = cursor.set_range(t.place_key(queue, after + 1))
            while found and size > 0 and t.place_of(cursor.key())[0] == queue:
                shown = t.place_of(cursor.key())[1] not in hidden
                if shown and (letter := self._letter_of(cursor.value())) is not None:
                    yield letter
                    size -= len(cursor.value())
                found = cursor.next()

    def letter(self, queue: int, number: int) -> DeadLetter | None:
        """One of them."""
        with self._tables.reading() as transaction:
            value = transaction.get(t.place_key(queue, number), db=self._tables.letters)
            return None if value is None else self._letter_of(value)

    def present(self, queue: int, numbers: Iterable[int]) -> list[int]:
        """Those of these dead letters that are there."""
        with self._tables.reading() as transaction:
            found = transaction.cursor(self._tables.letters)
            return [number for number in numbers if found.set_key(t.place_key(queue, number))]

    def outbox(self) -> Iterator[tuple[int, Outgoing]]:
        """What is to be sent out, with its numbers. Damaged ones are logged."""
        with self._tables.reading() as transaction:
            values = [bytes(value) for _, value in transaction.cursor(self._tables.outbox).iternext()]
        for value in values:
            try:
                record = r.unseal(r.OUTGOING, r.outgoings, value)
            except DamagedError as error:
                self._log.error("an outgoing message is damaged: %s", error, extra={"action": "damaged"})
                continue
            yield record.number, Outgoing(record.backend, r.unflat(record.message))

    def _letter_of(self, value: bytes) -> DeadLetter | None:
        try:
            return r.unseal(r.LETTER, r.letters, value).letter()
        except DamagedError as error:
            self._log.error("a dead letter is damaged: %s", error, extra={"action": "damaged"})
            return None


def _positions(page: r.Page, queue: int | None) -> dict[int, int]:
    """By index, of those that the queue of that number was given."""
    return {
        index: start + at
        for owner, start, indexes in page.shares
        if owner == queue
        for at, index in enumerate(range(len(page.ids)) if indexes is None else indexes)
    }


def run_of(start: int, messages: Sequence[Message]) -> Run:
    """Messages of consecutive positions."""
    return Run(start, messages, sum([len(message.body) for message in messages]), len(messages))
