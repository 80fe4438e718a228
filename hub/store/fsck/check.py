"""Checks that the rows of a store are intact and consistent. It changes nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from hub.message import PRIORITIES
from hub.store import Range
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.fsck.problem import MOST_QUEUES, Problem, positions
from hub.store.fsck.validation import contradiction, plausible, read_page, read_ranges, shares_of, spent_value, waits
from hub.store.records import DamagedError, QueueRecord
from hub.store.window import AckWindow, gaps
from hub.text import counted

T = TypeVar("T")


@dataclass
class CheckedQueue:
    """A queue, with counts of its rows in other tables.

    :ivar matched: index entries confirmed by a page. :ivar entries: index entries whose page could be read.
    :ivar unindexed: messages in pages without an index entry. :ivar letters: rows of dead letters.
    """

    record: QueueRecord
    window: AckWindow
    matched: int = 0
    entries: int = 0
    unindexed: list[Range] = field(default_factory=list)
    letters: int = 0

    @property
    def title(self) -> str:
        """Name of the queue for people."""
        return f"queue {str(self.record.key)!r}"


class Check:
    """A check of all tables.

    :param transaction: for reading or writing.
    :ivar counts: rows checked, by table.
    """

    def __init__(self, tables: t.Tables, transaction: Any) -> None:
        self.counts = dict.fromkeys((name for name in t.NAMES if name != "damaged"), 0)
        self._tables = tables
        self._transaction = transaction
        self._queues: dict[int, CheckedQueue] = {}
        self._lost: set[int] = set()
        self._damaged: dict[int, tuple[bytes, str]] = {}
        self._elsewhere: set[int] = set()

    def problems(self) -> Iterator[Problem]:
        """Yield all problems."""
        yield from self._each("queues", self._queue)
        yield from self._each("pages", self._page)
        yield from self._each("refs", self._mark)
        yield from self._each("spent", self._mark)
        yield from self._index()
        yield from self._damaged_pages()
        yield from self._each("settled", self._range)
        yield from self._each("tries", self._try)
        yield from self._each("levels", self._level)
        yield from self._each("letters", self._letter)
        yield from self._letter_counts()
        yield from self._each("outbox", self._outgoing)
        yield from self._noted()

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
        about = (f"the record of queue {number}", table, key, number)
        record = yield from _unsealed(partial(r.unseal, r.QUEUE, r.queues, value), *about)
        if record is None:
            self._lost.add(number)
            return
        if record.number != number:
            self._lost |= {number, record.number}
            yield Problem("misplaced", f"queue {record.number} is found under {number}", table, key)
            return
        try:
            read_ranges(self._tables, self._transaction, record)
        except DamagedError:  # which ``_range`` finds
            self._lost.add(number)
            return
        if text := contradiction(record):
            self._lost.add(number)
            yield Problem("books", f"queue {str(record.key)!r}: {text}", table, key, number)
            return
        window = AckWindow(record.floor)
        window.restore(record.ranges)
        self._queues[number] = CheckedQueue(record, window)

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
            yield Problem("misplaced", f"page {page.number} is found under {number}", table, key)
            return
        needed = 0
        for queue, start, count in shares_of(page):
            entry = self._transaction.get(t.place_key(queue, start), db=self._tables.index)
            if entry is not None and bytes(entry) == t.span_value(number, count):
                needed += 1
                if queue in self._queues:
                    self._queues[queue].matched += 1
            elif self._is_unindexed(page, queue, start, start + count):
                needed += 1
                checked = self._queues[queue]
                checked.unindexed.append((start, start + count))
                text = (
                    f"{checked.title}: page {number} holds {positions(start, start + count)}, which is not in the index"
                )
                yield Problem("unindexed", text, table, key, queue, start, start + count)
        yield from self._marks(page, key, needed)

    def _is_unindexed(self, page: r.Page, queue: int, start: int, stop: int) -> bool:
        checked = self._queues.get(queue)
        if checked is None or checked.window.covers(start, stop) or page.stored_at < checked.record.created_at:
            return False  # a page older than the queue belongs to a former queue of that number
        entries = t.covering(self._transaction.cursor(self._tables.index), queue, start)
        return not any(first < stop for first, _, _ in [next(entries, (stop, 0, 0))])

    def _marks(self, page: r.Page, key: bytes, needed: int) -> Iterator[Problem]:
        refs = self._value(self._tables.refs, key)
        spent = self._value(self._tables.spent, key)
        if not needed and refs is None and spent is None:
            yield Problem("orphan", f"page {page.number} is needed by no queue", "pages", key)
            return
        wanted: tuple[bytes | None, bytes | None] = (t.refs_value(needed, page.stored_at), None)
        if not needed:
            wanted = (None, spent and spent_value(spent, page.stored_at))
        if (refs, spent) != wanted:
            text = f"page {page.number}: its count of queues that need it is wrong: it should be {needed}"
            yield Problem("marks", text, "pages", key)

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
        """Report damaged pages, once the owners of their messages are known."""
        lost: dict[int, list[tuple[int, int, int]]] = {number: [] for number in self._damaged}
        for queue, start, stop, page in self._entries() if lost else ():
            if page in lost:
                lost[page].append((queue, start, stop))
        for number, (key, reason) in self._damaged.items():
            places = [f"{positions(start, stop)} of {self._title(queue)}" for queue, start, stop in lost[number]]
            text = f"page {number} is damaged: {reason}; it held {' and '.join(places) or 'nothing that is needed'}"
            yield Problem("damaged", text, "pages", key)

    def _title(self, queue: int) -> str:
        checked = self._queues.get(queue)
        return checked.title if checked else f"queue {queue}"

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
        for number in sorted(numbers - self._queues.keys() - self._lost):
            yield from self._unknown(number)
        for number, checked in self._queues.items():
            yield from self._entries_of(number, checked)
            if checked.entries != checked.matched:
                yield from self._dangling(number, checked.title)

    def _unknown(self, number: int) -> Iterator[Problem]:
        """Distinguish a missing queue record from damaged keys of the index, by the pages."""
        wrong = list(self._dangling(number, f"queue {number}"))
        entries = list(t.covering(self._transaction.cursor(self._tables.index), number, 0))
        lost = [page for _, page, _ in entries if page in self._damaged]
        if len(wrong) + len(lost) < len(entries):
            yield Problem("unknown", f"the index has entries of queue {number}, which has no record", queue=number)
        else:
            yield from wrong

    def _entries_of(self, number: int, checked: CheckedQueue) -> Iterator[Problem]:
        last, after, end = 0, checked.record.floor, checked.record.next_position
        for start, page, count in t.covering(self._transaction.cursor(self._tables.index), number, 0):
            key, stop = t.place_key(number, start), start + count
            about = ("index", key, number, start, stop)
            checked.entries += page not in self._damaged
            if checked.window.covers(start, stop):
                yield Problem("settled", f"{checked.title}: the index has settled {positions(start, stop)}", *about)
            elif start < last:
                yield Problem("overlap", f"{checked.title}: position {start} is in two pages", *about)
            elif stop > end and page not in self._damaged and self._bears_out(page, number, start, count):
                text = f"{checked.title}: {positions(start, stop)} should not be assigned yet"
                yield Problem("beyond", text, *about)
            yield from self._missing(number, checked, after, min(start, end))
            last = after = max(last, after, stop)
        yield from self._missing(number, checked, after, end)

    def _missing(self, number: int, checked: CheckedQueue, start: int, stop: int) -> Iterator[Problem]:
        unindexed = sorted(checked.unindexed)
        for first, after in checked.window.open(start, stop):
            for lost, upto in gaps(first, after, unindexed):
                text = f"{checked.title}: the messages of {positions(lost, upto)} are missing"
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
        return page.number == number and (queue, start, count) in shares_of(page)

    # -- other rows of a queue

    def _range(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number, start = t.place_of(key)
        about = (f"{self._title(number)}: a range of settled positions", table, key, number)
        record = yield from _unsealed(partial(r.unseal, r.RANGE, r.ranges, value), *about)
        if record is None:
            return
        if (record.queue, record.start) != (number, start):
            yield Problem("row", f"{table}: a range is found under another one's key", table, key)
        elif number not in self._queues and number not in self._lost:
            text = f"{table}: there is no queue {number}, whose {positions(start, record.stop)} should be settled"
            yield Problem("row", text, table, key)

    def _try(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number, position = t.place_of(key)
        one = t.try_of(value)
        checked = self._queues.get(number)
        if number in self._lost:
            return
        if checked is None:
            yield Problem("row", f"{table}: there is no queue {number}", table, key)
        elif not waits(checked.window, checked.record, position):
            yield Problem("row", f"{checked.title}: tries of position {position}, which does not wait", table, key)
        elif not plausible(one):
            yield Problem("row", f"{checked.title}: tries of position {position} that can't be", table, key)

    def _level(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        (number, start), (count, priority) = t.place_of(key), t.level_of(value)
        entry = self._value(self._tables.index, key)
        if number in self._lost:
            return
        if entry is None or t.span_of(entry)[1] != count or priority not in PRIORITIES:
            text = f"{table}: {positions(start, start + count)} of queue {number} can't have the priority {priority}"
            yield Problem("row", text, table, key)

    def _letter(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        queue, number = t.place_of(key)
        checked = self._queues.get(queue)
        if checked is not None:
            checked.letters += 1
        about = (f"{self._title(queue)}: the dead letter {number}", table, key, queue)
        record = yield from _unsealed(partial(r.unseal, r.LETTER, r.letters, value), *about)
        if record is None:
            return
        if (record.queue, record.number) != (queue, number):
            text = f"the dead letter {record.number} of {self._title(record.queue)} is found under another number"
            yield Problem("misplaced", text, table, key, queue)
        elif checked is None and queue not in self._lost:
            yield Problem("unknown", f"there are dead letters of queue {queue}, which has no record", queue=queue)
        elif checked is not None and number >= checked.record.next_letter:
            text = f"{checked.title}: the number of dead letter {number} should not be assigned yet"
            yield Problem("beyond", text, table, key, queue)

    def _letter_counts(self) -> Iterator[Problem]:
        for number, checked in self._queues.items():
            if checked.letters != checked.record.letters:
                has = counted(checked.letters, "dead letter")
                text = f"{checked.title} has {has}, and counts {checked.record.letters}"
                yield Problem("letters", text, "queues", t.queue_key(number), number)

    def _outgoing(self, table: str, key: bytes, value: Any) -> Iterator[Problem]:
        number = t.number_of(key)
        unseal = partial(r.unseal, r.OUTGOING, r.outgoings, value)
        record = yield from _unsealed(unseal, f"the outgoing message {number}", table, key)
        if record is not None and record.number != number:
            text = f"the outgoing message {record.number} is found under {number}"
            yield Problem("misplaced", text, table, key)

    def _noted(self) -> Iterator[Problem]:
        self.counts["meta"] = self._transaction.stat(self._tables.meta)["entries"]
        numbers = ((HIGHEST, max(self._queues, default=0), MOST_QUEUES), (t.FOLLOWING, 0, t.MOST_PAGES))
        for key, least, end in numbers:
            value = self._value(self._tables.meta, key)
            noted = 0 if value is None else int.from_bytes(value, "big") if len(value) == 8 else -1
            if not least <= noted < end:
                text = f"meta: {key.decode()!r} is wrong: it should be a number from {least} on"
                yield Problem("highest", text, "meta", key)


def _unsealed(
    unseal: Callable[[], T], what: str, table: str, key: bytes, queue: int = 0
) -> Generator[Problem, None, T | None]:
    """Return a record, or yield the problem that it is damaged, and return ``None``."""
    try:
        return unseal()
    except DamagedError as error:
        yield Problem("damaged", f"{what} is damaged: {error}", table, key, queue)
        return None
