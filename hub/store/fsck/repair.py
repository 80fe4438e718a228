"""Mends what ``check`` finds, in one transaction. What can't be read is set aside, and counted as lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import HIGHEST
from hub.store.fsck.aside import Aside
from hub.store.fsck.books import read_books
from hub.store.fsck.check import Check
from hub.store.fsck.problem import Problem
from hub.store.fsck.rebuild import rebuild
from hub.store.fsck.sense import contradiction
from hub.store.records import DamagedError, QueueRecord
from hub.store.settled import put_record
from hub.store.window import AckWindow

ROUNDS = 8
"""What one mends may bring to light what was hidden behind it; it never took more than three."""
LOSSES = {"damaged", "missing", "unknown", "overlap", "books"}
"""Kinds of problems that are told of also if they were found in a later round: the others are what mending left."""
SEALED = {"pages", "queues", "letters", "outbox"}
Older = Callable[[], Mapping[int, QueueRecord]]


class Outcome(NamedTuple):
    """What was found, and what of it is left."""

    problems: list[Problem]
    left: list[Problem]


def mend(tables: t.Tables, aside: Aside, keep: bool, older: Older) -> Outcome:
    """All of it, or nothing. :param older: see :class:`Repair`."""
    with tables.writing() as transaction:
        return Repair(tables, transaction, aside, keep, older).run()


class Repair:
    """See the module.

    :param keep: whether pages are kept after all are done with them.
    :param older: finds records of queues that are out of date: better than none.
    """

    def __init__(self, tables: t.Tables, transaction: Any, aside: Aside, keep: bool, older: Older) -> None:
        self._tables = tables
        self._transaction = transaction
        self._aside = aside
        self._keep = keep
        self._find_older = older
        self._edited: dict[int, tuple[QueueRecord, AckWindow]] = {}
        self._menders: Mapping[str, Callable[[Problem], None]] = {
            "damaged": self._damaged,
            "misplaced": self._move,
            "unindexed": self._add_entry,
            "marks": self._mark,
            "orphan": self._orphan,
            "dangling": self._drop,
            "settled": self._drop,
            "overlap": self._drop,
            "beyond": self._beyond,
            "missing": self._lose,
            "unknown": self._unknown,
            "row": self._drop,
            "letters": self._count_letters,
            "books": self._queue,
            "highest": lambda problem: self._put("meta", HIGHEST, problem.wanted),
        }

    @cached_property
    def _older(self) -> Mapping[int, QueueRecord]:
        return self._find_older()

    def run(self) -> Outcome:
        """Check and mend, until nothing is found."""
        told: list[Problem] = []
        for number in range(ROUNDS):
            found = list(Check(self._tables, self._transaction).problems())
            told += [problem for problem in found if not number or problem.kind in LOSSES]
            if not found:
                break
            for problem in found:
                self._menders[problem.kind](problem)
            self._write()
        self._aside.sync()
        return Outcome(told, list(Check(self._tables, self._transaction).problems()) if found else [])

    # -- rows

    def _get(self, table: str, key: bytes) -> bytes | None:
        value = self._transaction.get(key, db=getattr(self._tables, table))
        return None if value is None else bytes(value)

    def _put(self, table: str, key: bytes, value: bytes | bytearray) -> None:
        self._transaction.put(key, bytes(value), db=getattr(self._tables, table))

    def _delete(self, table: str, key: bytes) -> None:
        self._transaction.delete(key, db=getattr(self._tables, table))

    def _set_aside(self, table: str, key: bytes) -> bytes:
        value = self._get(table, key)
        if value is not None:
            self._aside.put(self._tables, self._transaction, table, key, value)
            self._delete(table, key)
        return value or b""

    def _drop(self, problem: Problem) -> None:
        if problem.table in SEALED:
            self._set_aside(problem.table, problem.key)
        else:
            self._delete(problem.table, problem.key)

    def _move(self, problem: Problem) -> None:
        """To the key that is its own, unless something is there already."""
        value = self._get(problem.table, problem.key)
        if value is not None and self._get(problem.table, problem.wanted) is None:
            self._put(problem.table, problem.wanted, value)
            self._delete(problem.table, problem.key)
        else:
            self._set_aside(problem.table, problem.key)

    # -- pages and the index

    def _damaged(self, problem: Problem) -> None:
        if problem.table == "queues":
            self._queue(problem)
            return
        self._set_aside(problem.table, problem.key)
        if problem.table == "pages":
            self._delete("refs", problem.key)
            self._delete("spent", problem.key)
            for queue, start, stop in problem.wanted:
                self._delete("index", t.place_key(queue, start))
                self._settle(queue, start, stop)
        elif problem.table == "settled":
            self.rebuild(problem.queue, b"")
        elif problem.table == "letters" and (book := self._edit(problem.queue)):
            book[0].letters = max(0, book[0].letters - 1)
            book[0].lost_letters += 1

    def _add_entry(self, problem: Problem) -> None:
        self._put("index", t.place_key(problem.queue, problem.start), problem.wanted)

    def _mark(self, problem: Problem) -> None:
        for table, value in zip(("refs", "spent"), problem.wanted, strict=True):
            if value is None:
                self._delete(table, problem.key)
            else:
                self._put(table, problem.key, value)

    def _orphan(self, problem: Problem) -> None:
        """All are done with it, as far as can be told; who keeps messages for a replay keeps it."""
        if self._keep:
            self._put("spent", problem.key, problem.wanted)
        else:
            self._set_aside("pages", problem.key)

    def _beyond(self, problem: Problem) -> None:
        book = self._edit(problem.queue)
        if book and problem.table == "letters":
            book[0].next_letter = max(book[0].next_letter, problem.wanted)
        elif book:
            book[0].next_position = max(book[0].next_position, problem.wanted)

    # -- queues

    def _lose(self, problem: Problem) -> None:
        self._settle(problem.queue, problem.start, problem.stop)

    def _settle(self, number: int, start: int, stop: int) -> None:
        """They are lost: nobody may wait for them for ever."""
        book = self._edit(number)
        if book is None:
            return
        record, window = book
        for first, after in list(window.open(start, min(stop, record.next_position))):
            window.finish(first, after)
            record.counters.dropped_damaged += after - first
            self._forget_tries(number, first, after)

    def _forget_tries(self, number: int, start: int, stop: int) -> None:
        with self._transaction.cursor(self._tables.tries) as cursor:
            keys = [key for key in t.keys_of(cursor, number) if start <= t.place_of(key)[1] < stop]
        for key in keys:
            self._delete("tries", key)

    def _count_letters(self, problem: Problem) -> None:
        book = self._edit(problem.queue)
        if book:
            book[0].letters = problem.wanted

    def _unknown(self, problem: Problem) -> None:
        self.rebuild(problem.queue, b"")

    def _queue(self, problem: Problem) -> None:
        self.rebuild(problem.queue, self._set_aside("queues", problem.key))

    def rebuild(self, number: int, value: bytes) -> None:
        """Make that queue's record anew. :param value: the damaged one."""
        names = {record.name for record in self._records() if record.number != number}
        older = self._older.get(number)
        record = rebuild(self._tables, self._transaction, number, older, value, names)
        self._edited.pop(number, None)
        put_record(self._tables, self._transaction, record)

    def _records(self) -> list[QueueRecord]:
        found = []
        for _, value in self._transaction.cursor(self._tables.queues).iternext():
            try:
                found.append(r.unseal(r.QUEUE, r.queues, value))
            except DamagedError:
                continue
        return found

    def _edit(self, number: int) -> tuple[QueueRecord, AckWindow] | None:
        """A queue's record and its window, to be changed; written at the end of the round."""
        if number not in self._edited:
            value = self._get("queues", t.queue_key(number))
            try:
                record = read_books(self._tables, self._transaction, value or b"")
            except DamagedError:
                return None
            if record.number != number or contradiction(record):
                return None
            window = AckWindow(record.floor)
            window.restore(record.ranges)
            self._edited[number] = record, window
        return self._edited[number]

    def _write(self) -> None:
        for record, window in self._edited.values():
            record.floor, record.ranges = window.floor, window.ranges
            record.commit += 1
            put_record(self._tables, self._transaction, record)
        self._edited.clear()
