"""Rebuilds a consistent store from the rows that could be read, in a new file.

Pages, queues, settled ranges, dead letters and outgoing messages are records with a checksum; damaged ones go to the
quarantine. The rest is derived from them: the index, ``refs``, ``spent``, counts. A message that no page holds any more
is settled, and counted as ``dropped_damaged``, so that no queue waits for it forever.
"""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from hub.message import DEFAULT_PRIORITY
from hub.stats.counters import Counters
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.fsck.image import Image
from hub.store.fsck.problem import MOST_QUEUES, Problem, positions
from hub.store.fsck.quarantine import Quarantine
from hub.store.fsck.rebuilt_queue import RebuiltQueue
from hub.store.fsck.remains import Remains
from hub.store.fsck.scan import scan
from hub.store.fsck.validation import contradiction, plausible, read_page, read_queue, shares_of, spent_value, waits
from hub.store.records import DamagedError, QueueRecord
from hub.store.settled import put_record

Item = tuple[str, bytes, bytes]
"""A table, and the key and value of a row for it."""
RECORDS: dict[str, tuple[bytes, Callable[[Any], Any], Callable[[Any], bytes]]] = {
    "queues": (r.QUEUE, lambda value: r.unseal(r.QUEUE, r.queues, value), lambda one: t.queue_key(one.number)),
    "settled": (
        r.RANGE,
        lambda value: r.unseal(r.RANGE, r.ranges, value),
        lambda one: t.place_key(one.queue, one.start),
    ),
    "letters": (
        r.LETTER,
        lambda value: r.unseal(r.LETTER, r.letters, value),
        lambda one: t.place_key(one.queue, one.number),
    ),
    "outbox": (
        r.OUTGOING,
        lambda value: r.unseal(r.OUTGOING, r.outgoings, value),
        lambda one: t.number_key(one.number),
    ),
    "pages": (r.PAGE, read_page, lambda one: t.number_key(one.number)),
}
"""Kinds of records by table, with the function that reads one, and the function for its key."""


class Rebuild:
    """Rebuilds the tables of a new file, in three steps: ``queues``, ``found``, ``rows``.

    :param image: the old file.
    :param keep: true if pages are kept after all queues have settled them.
    :param unsound: tables of the old file whose rows could not all be read.
    :ivar problems: damaged records and lost messages. :ivar rebuilt: queues by number.
    """

    def __init__(
        self, tables: t.Tables, image: Image, quarantine: Quarantine, keep: bool, unsound: Iterable[str]
    ) -> None:
        self.problems: list[Problem] = []
        self.rebuilt: dict[int, RebuiltQueue] = {}
        self._tables = tables
        self._image = image
        self._quarantine = quarantine
        self._keep = keep
        self._unsound = {*unsound}
        self._lost_letters: dict[int, int] = defaultdict(int)
        self._following_page = 0

    # -- the first step: queues

    def queues(self, transaction: Any) -> None:
        """Quarantine damaged records, and find the settled positions of each queue."""
        damaged = {table: self._sort_out(transaction, table) for table in RECORDS}
        for key in damaged["letters"]:
            self._lost_letters[_queue_in(key)] += 1
        numbers = [t.number_of(key) for key in damaged["pages"] if len(key) == len(t.number_key(0))]
        self._following_page = max((one + 1 for one in numbers if one < t.MOST_PAGES - 1), default=0)
        lost = {_queue_in(key) for key in damaged["queues"] if len(key) == len(t.queue_key(0))}
        lost |= self._read_queues(transaction, {_queue_in(key) for key in damaged["settled"]})
        lost |= self._unknown(transaction)
        if not lost and not self._unsound & {"queues", "settled"}:
            return
        remains = Remains(self._image)
        if "queues" in self._unsound:
            lost |= remains.queues.keys() | remains.numbers
        for number in sorted(lost - self.rebuilt.keys()):
            if 0 < number < MOST_QUEUES:
                self._restore(transaction, number, remains)
        if "settled" in self._unsound:
            for rebuilt in self.rebuilt.values():
                rebuilt.finish(remains.settled(rebuilt.record))

    def _sort_out(self, transaction: Any, table: str) -> list[bytes]:
        """Put each record under its own key. :returns: keys of damaged records."""
        _, read, key_of = RECORDS[table]
        handle = getattr(self._tables, table)
        wrong: list[tuple[bytes, bytes | None]] = []
        with transaction.cursor(handle) as cursor:
            for key, value in cursor.iternext():
                try:
                    right = key_of(read(value))
                except (DamagedError, struct.error) as error:
                    wrong.append((key, None))
                    text = f"{table}: the record {key.hex()} is damaged: {error}"
                    self.problems.append(Problem("damaged", text, table, key))
                else:
                    if right != key:
                        wrong.append((key, right))
        for place, own in wrong:
            if own is not None and transaction.get(own, db=handle) is None:
                transaction.put(own, transaction.pop(place, db=handle), db=handle)
            else:
                self._quarantine.move(self._tables, transaction, table, place)
        return [place for place, own in wrong if own is None]

    def _read_queues(self, transaction: Any, spoiled: set[int]) -> set[int]:
        """Read intact queues. :param spoiled: queues with a damaged range. :returns: numbers of the others."""
        others = set()
        for key, value in list(transaction.cursor(self._tables.queues).iternext()):
            record = read_queue(self._tables, transaction, value)
            if text := contradiction(record):
                self.problems.append(
                    Problem("books", f"queue {str(record.key)!r}: {text}", "queues", key, record.number)
                )
                self._quarantine.move(self._tables, transaction, "queues", key)
            if text or record.number in spoiled:
                others.add(record.number)
            else:
                self.rebuilt[record.number] = RebuiltQueue.of(record)
        return others

    def _unknown(self, transaction: Any) -> set[int]:
        """Numbers of queues that have dead letters, or index entries confirmed by a page."""
        found = {_queue_in(key) for key in transaction.cursor(self._tables.letters).iternext(values=False)}
        for key, value in transaction.cursor(self._tables.index).iternext():
            if len(key) != 12 or len(value) != 12 or _queue_in(key) in self.rebuilt or _queue_in(key) in found:
                continue
            page = transaction.get(t.number_key(t.span_of(value)[0]), db=self._tables.pages)
            if page is not None and t.place_of(key) in [share[:2] for share in read_page(page).shares]:
                found.add(_queue_in(key))
        return found

    def _restore(self, transaction: Any, number: int, remains: Remains) -> None:
        """Restore a queue's record from an older one, or make a new one."""
        record = remains.queues.get(number)
        found = record is not None and not contradiction(record)
        if record is None or not found:
            self.problems.append(Problem("unknown", f"the record of queue {number} is gone", queue=number))
            name = _name(transaction.get(b"queues/" + t.queue_key(number), db=self._tables.damaged) or b"")
            record = QueueRecord(number, name, 0.0, 0, 0, [], Counters(), 0, 1, 0, 0)
        if not record.name or record.key in {rebuilt.record.key for rebuilt in self.rebuilt.values()}:
            record.name = f"queue-{number}"
        rebuilt = self.rebuilt[number] = RebuiltQueue.of(record)
        rebuilt.finish(remains.settled(record))
        stop = max([rebuilt.window.floor, *(stop for _, stop in rebuilt.window.ranges)])
        record.next_position = max(record.next_position, stop)
        record.commit, record.unread_bytes = record.commit + 1, 0
        if "index" not in self._unsound:
            keys = transaction.cursor(self._tables.index).iternext(values=False)
            rebuilt.starts = {t.place_of(key)[1] for key in keys if len(key) == 12 and _queue_in(key) == number}
        rebuilt.restored, rebuilt.guessed = True, not found or rebuilt.starts is not None

    # -- the second step: records that LMDB could not read

    def found(self, transaction: Any) -> Iterator[Item]:
        """Find rows for unreadable tables, from records anywhere in the old file.

        :param transaction: for reading the result of the first step.
        """
        wanted = {RECORDS[name][0]: name for name in ("pages", "letters", "outbox") if name in self._unsound}
        stored_at: dict[int, float] = {}
        for one in scan(self._image) if wanted else ():
            if (name := wanted.get(one.kind)) is None:
                continue
            key = RECORDS[name][2](one.content)
            if transaction.get(key, db=getattr(self._tables, name)) is not None:
                continue
            if one.kind == r.PAGE:
                page: r.Page = one.content
                if page.stored_at < stored_at.get(page.number, 0.0) or not self._is_needed(transaction, page):
                    continue
                stored_at[page.number] = page.stored_at
            yield name, key, self._image.read(one.offset, one.length)

    def _is_needed(self, transaction: Any, page: r.Page) -> bool:
        if transaction.get(t.number_key(page.number), db=self._tables.spent) == t.time_value(page.stored_at):
            return True
        shares = [(self.rebuilt.get(queue), start, count) for queue, start, count in shares_of(page)]
        return any(rebuilt is not None and rebuilt.needs(page, start, count) for rebuilt, start, count in shares)

    # -- the third step: all other rows

    def rows(self, transaction: Any) -> None:
        """Rebuild the index and all rows derived from it."""
        following = max(self._following_page, t.following_page(transaction, self._tables))
        for table in ("index", "levels", "refs"):
            transaction.drop(getattr(self._tables, table), delete=False)
        pages = transaction.cursor(self._tables.pages).iternext()
        orphans = [key for key, value in pages if not self._index(transaction, key, read_page(value))]
        for key in orphans:
            self._quarantine.move(self._tables, transaction, "pages", key)
        self._delete(transaction, "spent", lambda key, _: transaction.get(key, db=self._tables.pages) is None)
        for number, rebuilt in self.rebuilt.items():
            self._settle_missing(transaction, number, rebuilt)
        self._delete(transaction, "settled", lambda key, _: _queue_in(key) not in self.rebuilt)
        self._delete(transaction, "tries", self._is_no_try)
        for number, rebuilt in self.rebuilt.items():
            self._count_letters(transaction, number, rebuilt.record)
            if not rebuilt.record.created_at and rebuilt.oldest < math.inf:
                rebuilt.record.created_at = rebuilt.oldest
            rebuilt.record.floor, rebuilt.record.ranges = rebuilt.window.floor, rebuilt.window.ranges
            put_record(self._tables, transaction, rebuilt.record)
        noted = transaction.get(HIGHEST, db=self._tables.meta) or b""
        highest = t.number_of(noted) if len(noted) == 8 and t.number_of(noted) < MOST_QUEUES else 0
        transaction.put(HIGHEST, t.number_key(max([highest, *self.rebuilt])), db=self._tables.meta)
        noted = transaction.get(t.FOLLOWING, db=self._tables.meta)
        if noted is not None or following > t.following_page(transaction, self._tables):
            transaction.put(t.FOLLOWING, t.number_key(following), db=self._tables.meta)

    def _index(self, transaction: Any, key: bytes, page: r.Page) -> bool:
        """Index a page. :returns: true if it is needed."""
        refs = 0
        for (queue, start, mine), (_, _, count) in zip(page.shares, shares_of(page), strict=True):
            rebuilt = self.rebuilt.get(queue)
            if rebuilt is None or page.stored_at < rebuilt.record.created_at:
                continue
            if rebuilt.restored:
                rebuilt.record.next_position = max(rebuilt.record.next_position, start + count)
            if rebuilt.needs(page, start, count) and self._put_entry(transaction, queue, start, page, count):
                refs += 1
                rebuilt.record.next_position = max(rebuilt.record.next_position, start + count)
                rebuilt.oldest = min(rebuilt.oldest, page.stored_at)
                if rebuilt.restored:
                    rebuilt.record.unread_bytes += sum(len(page.bodies[at]) for at in mine or range(count))
        spent = transaction.pop(key, db=self._tables.spent)
        if refs:
            transaction.put(key, t.refs_value(refs, page.stored_at), db=self._tables.refs)
        elif spent is not None or self._keep:
            transaction.put(key, spent_value(spent, page.stored_at), db=self._tables.spent)
        return bool(refs or spent is not None or self._keep)

    def _put_entry(self, transaction: Any, queue: int, start: int, page: r.Page, count: int) -> bool:
        """Add an index entry, unless another page has one of these positions."""
        with transaction.cursor(self._tables.index) as cursor:
            other = next(t.covering(cursor, queue, start), None)
        if not count or (other is not None and other[0] < start + count):
            return False
        transaction.put(t.place_key(queue, start), t.span_value(page.number, count), db=self._tables.index)
        if page.priority != DEFAULT_PRIORITY:
            level = t.level_value(count, page.priority)
            transaction.put(t.place_key(queue, start), level, db=self._tables.levels)
        return True

    def _settle_missing(self, transaction: Any, number: int, rebuilt: RebuiltQueue) -> None:
        """Settle the messages that no page holds."""
        with transaction.cursor(self._tables.index) as cursor:
            entries = [(start, start + count) for start, _, count in t.covering(cursor, number, 0)]
        position, end = 0, rebuilt.record.next_position
        for start, stop in [*entries, (end, end)]:
            for first, after in list(rebuilt.window.open(position, start)):
                rebuilt.window.finish(first, after)
                if not rebuilt.guessed:
                    rebuilt.missing += after - first
                    text = f"queue {str(rebuilt.record.key)!r}: the messages of {positions(first, after)} are missing"
                    self.problems.append(Problem("missing", text, "index", b"", number, first, after))
            position = stop
        rebuilt.record.counters.dropped_damaged += rebuilt.missing
        rebuilt.found = sum(after - first for first, after in rebuilt.window.open(0, end))

    def _is_no_try(self, key: bytes, value: bytes) -> bool:
        try:
            (number, position), one = t.place_of(key), t.try_of(value)
        except struct.error:
            return True
        rebuilt = self.rebuilt.get(number)
        return rebuilt is None or not waits(rebuilt.window, rebuilt.record, position) or not plausible(one)

    def _delete(self, transaction: Any, table: str, is_wrong: Callable[[bytes, bytes], bool]) -> None:
        with transaction.cursor(getattr(self._tables, table)) as cursor:
            wrong = [key for key, value in cursor.iternext() if is_wrong(key, value)]
        for key in wrong:
            transaction.delete(key, db=getattr(self._tables, table))

    def _count_letters(self, transaction: Any, number: int, record: QueueRecord) -> None:
        with transaction.cursor(self._tables.letters) as cursor:
            numbers = [letter for letter, _ in t.rows_of(cursor, number)]
        record.letters = len(numbers)
        record.lost_letters += self._lost_letters[number]
        record.next_letter = max([record.next_letter, *(one + 1 for one in numbers)])


def _queue_in(key: bytes) -> int:
    """The queue number at the beginning of a key."""
    return int.from_bytes(key[:4], "big")


def _name(value: bytes) -> str:
    """The queue's name in its damaged record, which is probably intact; empty: it can't be read."""
    try:
        found = msgspec.msgpack.decode(value[r.HEAD_SIZE :])[1]
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, LookupError):
        return ""
    return found if isinstance(found, str) and found.isprintable() and "/" not in found else ""
