"""Whether what a store holds is as it was written, and fits together. Changes nothing; ``repair`` does."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.fsck.books import read_books
from hub.store.fsck.problem import Problem, positions
from hub.store.fsck.sense import contradiction, read_page
from hub.store.records import DamagedError, QueueRecord
from hub.store.window import AckWindow, gaps
from hub.text import counted

MOST_QUEUES = 1 << 31
"""No queue has such a number."""


@dataclass
class Book:
    """What is known of one queue.

    :ivar matched: entries of the index that a page bears out. :ivar entries: those whose page could be read.
    :ivar unindexed: what a page holds for the queue without such an entry. :ivar letters: rows of dead letters.
    """

    record: QueueRecord
    window: AckWindow
    matched: int = 0
    entries: int = 0
    unindexed: list[Range] = field(default_factory=list)
    letters: int = 0

    @property
    def title(self) -> str:
        """For people."""
        return f"queue {self.record.name!r}"


class Check:
    """Of all tables, once.

    :param transaction: that reads, or writes.
    :ivar counts: rows that were looked at, by table.
    """

    def __init__(self, tables: t.Tables, transaction: Any) -> None:
        self.counts = dict.fromkeys((name for name in t.NAMES if name != "damaged"), 0)
        self._tables = tables
        self._transaction = transaction
        self._books: dict[int, Book] = {}
        self._lost: set[int] = set()
        self._damaged: dict[int, tuple[bytes, str]] = {}
        self._elsewhere: set[int] = set()

    def problems(self) -> Iterator[Problem]:
        """All of them."""
        yield from self._each("queues", self._queue)
        yield from self._each("pages", self._page)
        yield from self._each("refs", self._mark)
        yield from self._each("spent", self._mark)
        yield from self._index()
        yield from self._damaged_pages()
        yield from self._each("settled", self._range)
        yield from self._each("tries", self._try)
        yield from self._each("letters", self._letter)
        yield from self._letter_counts()
        yield from self._each("outbox", self._outgoing)
        yield from self._highest()

    def _each(self, table: str, look: Callable[[str, bytes, Any], Iterable[Problem]]) -> Iterator[Problem]:
        for key, value in self._transaction.cursor(getattr(self._tables, table)).iternext():
            self.counts[table] += 1
            key = bytes(key)
            try:
                yield from look(table, key, value)
            except struct.error as error:
                yield Problem("row", f"{table}: the row {key.hex()} can't be read: {error}", table, key)

    # -- queues

    def _queue(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        (number,) = struct.unpack(">I", key)
        try:
            record = r.unseal(r.QUEUE, r.queues, value)
        except DamagedError as error:
            self._lost.add(number)
            yield Problem("damaged", f"the record of queue {number} is damaged: {error}", table, key, number)
            return
        if record.number != number:
            self._lost |= {number, record.number}
            right = t.queue_key(record.number)
            yield Problem("misplaced", f"queue {record.number} is found under {number}", table, key, wanted=right)
            return
        try:
            record = read_books(self._tables, self._transaction, value)
        except DamagedError:  # which ``_range`` finds
            self._lost.add(number)
            return
        if text := contradiction(record):
            self._lost.add(number)
            yield Problem("books", f"queue {record.name!r}: {text}", table, key, number)
            return
        window = AckWindow(record.floor)
        window.restore(record.ranges)
        self._books[number] = Book(record, window)

    # -- pages

    def _page(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number = t.number_of(key)
        try:
            page = read_page(value)
        except DamagedError as error:
            self._damaged[number] = (key, str(error))
            return
        if page.number != number:
            self._elsewhere.add(page.number)
            right = t.number_key(page.number)
            yield Problem("misplaced", f"page {page.number} is found under {number}", table, key, wanted=right)
            return
        needed = 0
        for queue, start, indexes in page.shares:
            count = len(page.ids) if indexes is None else len(indexes)
            entry = self._transaction.get(t.place_key(queue, start), db=self._tables.index)
            if entry is not None and bytes(entry) == t.span_value(number, count):
                needed += 1
                if queue in self._books:
                    self._books[queue].matched += 1
            elif self._is_unindexed(page, queue, start, start + count):
                needed += 1
                book = self._books[queue]
                book.unindexed.append((start, start + count))
                text = f"{book.title}: page {number} holds {positions(start, start + count)}, which is not in the index"
                yield Problem("unindexed", text, table, key, queue, start, start + count, t.span_value(number, count))
        yield from self._marks(page, key, needed)

    def _is_unindexed(self, page: r.Page, queue: int, start: int, stop: int) -> bool:
        book = self._books.get(queue)
        if book is None or book.window.covers(start, stop) or page.stored_at < book.record.created_at:
            return False  # a page that is older than the queue was written for one that had its number before
        entries = t.covering(self._transaction.cursor(self._tables.index), queue, start)
        return not any(first < stop for first, _, _ in [next(entries, (stop, 0, 0))])

    def _marks(self, page: r.Page, key: bytes, needed: int) -> Iterator[Problem]:
        refs = self._value(self._tables.refs, key)
        spent = self._value(self._tables.spent, key)
        if not needed and refs is None and spent is None:
            since = t.time_value(page.stored_at)
            yield Problem("orphan", f"page {page.number} is needed by nobody", "pages", key, wanted=since)
            return
        wanted: tuple[bytes | None, bytes | None] = (t.refs_value(needed, page.stored_at), None)
        if not needed:  # one that was stored while the clock was ahead was given an earlier time
            earlier = spent is not None and len(spent) == len(key) and t.time_of(spent) < page.stored_at
            wanted = (None, spent if earlier else spent and t.time_value(page.stored_at))
        if (refs, spent) != wanted:
            text = f"page {page.number}: what is noted of who needs it is wrong: {needed} queues do"
            yield Problem("marks", text, "pages", key, wanted=wanted)

    def _value(self, table: Any, key: bytes) -> bytes | None:
        value = self._transaction.get(key, db=table)
        return None if value is None else bytes(value)

    def _mark(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number = t.number_of(key)
        if number not in self._elsewhere and not self._has_page(number):
            yield Problem("row", f"{table}: there is no page {number}", table, key)

    def _has_page(self, number: int) -> bool:
        return self._transaction.get(t.number_key(number), db=self._tables.pages) is not None

    def _damaged_pages(self) -> Iterator[Problem]:
        """Last, when it is known whose messages were in them."""
        lost: dict[int, list[tuple[int, int, int]]] = {number: [] for number in self._damaged}
        for queue, start, stop, page in self._entries() if lost else ():
            if page in lost:
                lost[page].append((queue, start, stop))
        for number, (key, reason) in self._damaged.items():
            places = [f"{positions(start, stop)} of {self._title(queue)}" for queue, start, stop in lost[number]]
            text = f"page {number} is damaged: {reason}; it held {' and '.join(places) or 'nothing that is needed'}"
            yield Problem("damaged", text, "pages", key, wanted=lost[number])

    def _title(self, queue: int) -> str:
        book = self._books.get(queue)
        return book.title if book else f"queue {queue}"

    # -- the index

    def _entries(self) -> Iterator[tuple[int, int, int, int]]:
        for key, value in self._transaction.cursor(self._tables.index).iternext():
            (queue, start), (page, count) = t.place_of(key), t.span_of(value)
            yield queue, start, start + count, page

    def _index(self) -> Iterator[Problem]:
        self.counts["index"] = self._transaction.stat(self._tables.index)["entries"]
        numbers: set[int] = set()
        cursor = self._transaction.cursor(self._tables.index)
        found = cursor.first()
        while found:
            number = t.place_of(cursor.key())[0]
            numbers.add(number)
            found = cursor.set_range(t.place_key(number + 1, 0))
        for number in sorted(numbers - self._books.keys() - self._lost):
            yield from self._unknown(number)
        for number, book in self._books.items():
            yield from self._entries_of(number, book)
            if book.entries != book.matched:
                yield from self._dangling(number, book.title)

    def _unknown(self, number: int) -> Iterator[Problem]:
        """A queue whose record is gone, or damage to the keys of the index: the pages tell."""
        wrong = list(self._dangling(number, f"queue {number}"))
        entries = list(t.covering(self._transaction.cursor(self._tables.index), number, 0))
        lost = [page for _, page, _ in entries if page in self._damaged]
        if len(wrong) + len(lost) < len(entries):
            yield Problem("unknown", f"the index has entries of queue {number}, which has no record", queue=number)
        else:
            yield from wrong

    def _entries_of(self, number: int, book: Book) -> Iterator[Problem]:
        last, after, end = 0, book.record.floor, book.record.next_position
        for start, page, count in t.covering(self._transaction.cursor(self._tables.index), number, 0):
            key, stop = t.place_key(number, start), start + count
            about = ("index", key, number, start, stop)
            book.entries += page not in self._damaged
            if book.window.covers(start, stop):
                yield Problem("settled", f"{book.title}: the index has {positions(start, stop)}, long settled", *about)
            elif start < last:
                yield Problem("overlap", f"{book.title}: two pages have position {start}", *about)
            elif stop > end and page not in self._damaged and self._bears_out(page, number, start, count):
                text = f"{book.title}: {positions(start, stop)} should not be given yet"
                yield Problem("beyond", text, *about, stop)
            yield from self._missing(number, book, after, min(start, end))
            last = after = max(last, after, stop)
        yield from self._missing(number, book, after, end)

    def _missing(self, number: int, book: Book, start: int, stop: int) -> Iterator[Problem]:
        unindexed = sorted(book.unindexed)
        for first, after in book.window.open(start, stop):
            for lost, upto in gaps(first, after, unindexed):
                text = f"{book.title}: the messages of {positions(lost, upto)} are missing"
                yield Problem("missing", text, "index", b"", number, lost, upto)

    def _dangling(self, number: int, title: str) -> Iterator[Problem]:
        for start, page, count in t.covering(self._transaction.cursor(self._tables.index), number, 0):
            known = page in self._damaged or page in self._elsewhere
            if known or self._bears_out(page, number, start, count):
                continue
            text = f"{title}: page {page} does not hold {positions(start, start + count)}, as the index says"
            yield Problem("dangling", text, "index", t.place_key(number, start), number, start, start + count)

    def _bears_out(self, number: int, queue: int, start: int, count: int) -> bool:
        value = self._transaction.get(t.number_key(number), db=self._tables.pages)
        if value is None:
            return False
        page = read_page(value)
        shares = [(owner, first, len(page.ids if mine is None else mine)) for owner, first, mine in page.shares]
        return page.number == number and (queue, start, count) in shares

    # -- what else a queue has

    def _range(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number, start = t.place_of(key)
        try:
            record = r.unseal(r.RANGE, r.ranges, value)
        except DamagedError as error:
            text = f"{self._title(number)}: a range of settled positions is damaged: {error}"
            yield Problem("damaged", text, table, key, number)
            return
        if (record.queue, record.start) != (number, start):
            yield Problem("row", f"{table}: a range is found under another one's key", table, key)
        elif number not in self._books and number not in self._lost:
            text = f"{table}: there is no queue {number}, of which {positions(start, record.stop)} should be settled"
            yield Problem("row", text, table, key)

    def _try(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number, position = t.place_of(key)
        one = t.try_of(value)
        book = self._books.get(number)
        if number in self._lost:
            return
        if book is None:
            yield Problem("row", f"{table}: there is no queue {number}", table, key)
        elif book.window.is_finished(position) or position >= book.record.next_position:
            yield Problem("row", f"{book.title}: tries of position {position}, which does not wait", table, key)
        elif not all(math.isfinite(seconds) and seconds >= 0 for seconds in (one.due, one.delay)):
            yield Problem("row", f"{book.title}: tries of position {position} that can't be", table, key)

    def _letter(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        queue, number = t.place_of(key)
        book = self._books.get(queue)
        if book is not None:
            book.letters += 1
        try:
            record = r.unseal(r.LETTER, r.letters, value)
        except DamagedError as error:
            text = f"{self._title(queue)}: the dead letter {number} is damaged: {error}"
            yield Problem("damaged", text, table, key, queue)
            return
        if (record.queue, record.number) != (queue, number):
            text = f"the dead letter {record.number} of {self._title(record.queue)} is found under another number"
            right = t.place_key(record.queue, record.number)
            yield Problem("misplaced", text, table, key, queue, wanted=right)
        elif book is None and queue not in self._lost:
            yield Problem("unknown", f"there are dead letters of queue {queue}, which has no record", queue=queue)
        elif book is not None and number >= book.record.next_letter:
            text = f"{book.title}: the dead letter {number} should not be there yet"
            yield Problem("beyond", text, table, key, queue, wanted=number + 1)

    def _letter_counts(self) -> Iterator[Problem]:
        for number, book in self._books.items():
            if book.letters != book.record.letters:
                text = f"{book.title} has {counted(book.letters, 'dead letter')}, and counts {book.record.letters}"
                yield Problem("letters", text, "queues", t.queue_key(number), number, wanted=book.letters)

    def _outgoing(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number = t.number_of(key)
        try:
            record = r.unseal(r.OUTGOING, r.outgoings, value)
        except DamagedError as error:
            yield Problem("damaged", f"the outgoing message {number} is damaged: {error}", table, key)
            return
        if record.number != number:
            text = f"the outgoing message {record.number} is found under {number}"
            yield Problem("misplaced", text, table, key, wanted=t.number_key(record.number))

    def _highest(self) -> Iterator[Problem]:
        value = self._value(self._tables.meta, HIGHEST)
        self.counts["meta"] = self._transaction.stat(self._tables.meta)["entries"]
        highest = max(self._books, default=0)
        noted = int.from_bytes(value, "big") if value and len(value) == 8 else -1
        if highest <= noted < MOST_QUEUES or (value is None and not highest):
            return
        text = f"the highest number that a queue ever had is at least {highest}, and not noted as that"
        yield Problem("highest", text, "meta", HIGHEST, wanted=t.number_key(highest))
