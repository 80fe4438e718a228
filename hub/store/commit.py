"""Commit: one transaction with new batches, settled positions and deletions. No threads: the writer calls it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import astuple, replace
from functools import partial
from itertools import takewhile
from typing import Any

from hub.message import DEFAULT_PRIORITY, Message
from hub.store import Beginning, Outgoing, Range, RoutedBatch, Share
from hub.store import records as r
from hub.store import tables as t
from hub.store.ledger import Ledger, below
from hub.store.letters import Amount, LetterRows
from hub.store.records import QueueRecord
from hub.store.settled import SettledRows
from hub.store.window import merged

HIGHEST = b"highest queue"
TURN = b"turn"


class Commit:
    """One write transaction.

    :param transaction: an LMDB write transaction.
    :param final: whether it has all batches that arrived. A dead letter that was retried is deleted only together with
        the message that replaces it.
    :param now: epoch seconds. :param steady: epoch seconds by a clock that is never ahead.
    :param keep: seconds that a page is kept after all queues have settled it.
    :param room: write only changes that free space: no tries.
    :ivar now: epoch seconds.
    :ivar pages: number of pages written. :ivar skipped: number of batches that all queues had settled before.
    """

    def __init__(
        self,
        tables: t.Tables,
        transaction: Any,
        ledgers: Mapping[str, Ledger],
        now: float,
        keep: float,
        final: bool = True,
        steady: float | None = None,
        room: bool = False,
    ) -> None:
        self._room = room
        self.pages = 0
        self.skipped = 0
        self._marks: list[Callable[[], None]] = []
        self._tables = tables
        self._put = transaction.put
        self._get = transaction.get
        self._delete = transaction.delete
        self._transaction = transaction
        self._ledgers = ledgers
        self.now = now
        self._steady = now if steady is None else steady
        self._keep = keep
        self._final = final
        self._beginnings: dict[str, Beginning | None] = {}
        self._arrived = {name: ledger.next_position for name, ledger in ledgers.items()}

    @property
    def touched(self) -> list[Ledger]:
        """Ledgers that this transaction must write."""
        return [
            ledger
            for name, ledger in self._ledgers.items()
            if ledger.dirty or self._arrived[name] != ledger.next_position or name in self._beginnings
        ]

    def append(self, number: int, batch: RoutedBatch) -> bool:
        """Write a batch as a page. :param number: number of the page.

        :returns: whether it was written: a batch that every queue has settled needs no page.
        """
        if batch.mark is not None:
            self._marks.append(partial(batch.mark, number))
        if batch.beginning is not None:
            name, beginning = batch.beginning
            self._beginnings[name] = beginning and replace(beginning, until=beginning.until or number)
        wanted: list[tuple[Ledger, Share]] = []
        for share in batch.shares:
            ledger = self._ledgers.get(share.queue)
            if ledger is None:
                continue  # the queue was deleted meanwhile
            self._arrived[share.queue] = share.stop
            if share.tries:
                ledger.delay(share.tries)
            if not ledger.window.covers(share.start, share.stop):
                wanted.append((ledger, share))
        if not wanted and not (self._keep and batch.messages and not batch.copy):
            self.skipped += 1
            return False
        key = t.number_key(number)
        routes = [(ledger.number, share.start, share.indexes) for ledger, share in wanted]
        self._put(key, self._sealed(number, batch, routes), db=self._tables.pages, append=True)
        for ledger, share in wanted:
            entry = t.span_value(number, len(share.messages))
            self._put(t.place_key(ledger.number, share.start), entry, db=self._tables.index)
            if batch.priority != DEFAULT_PRIORITY:
                level = t.level_value(len(share.messages), batch.priority)
                self._put(t.place_key(ledger.number, share.start), level, db=self._tables.levels)
                ledger.prioritized = True
        if wanted:
            self._put(key, t.refs_value(len(wanted), self.now), db=self._tables.refs)
        else:
            self._put(key, t.time_value(self.now), db=self._tables.spent)
        self.pages += 1
        return True

    def _sealed(
        self, number: int, batch: RoutedBatch, routes: list[tuple[int, int, Sequence[int] | None]]
    ) -> bytearray:
        """Seal a page. Messages that can't be encoded are cleaned first: one bad message must not stop the hub."""

        def seal(messages: Sequence[Message]) -> bytearray:
            page = r.Page.of(number, self.now, messages, routes, batch.copy, batch.priority)
            return r.seal(r.PAGE, page)

        try:
            return seal(batch.messages)
        except (TypeError, ValueError, OverflowError):
            return seal([r.cleaned(message) for message in batch.messages])

    def settle(self, ledger: Ledger) -> QueueRecord:
        """Write the changes of a queue. :returns: its new record."""
        next_position = self._arrived[ledger.name]
        settled = merged(below(ledger.settled, next_position))
        self._release_pages(ledger, settled)
        with self._transaction.cursor(self._tables.settled) as cursor:
            SettledRows(cursor, ledger.number, ledger.created_at).note(ledger.window, settled, next_position)
        self._write_tries(ledger, next_position)
        record_ = self._settle_letters(ledger, next_position)
        if ledger.name in self._beginnings:
            beginning = self._beginnings[ledger.name]
            record_.beginning = astuple(beginning) if beginning else None
        self._put(t.queue_key(ledger.number), r.seal(r.QUEUE, record_), db=self._tables.queues)
        return record_

    def _settle_letters(self, ledger: Ledger, next_position: int) -> QueueRecord:
        rows = LetterRows(self._tables, self._transaction, ledger.number)
        written, evicted = rows.write(ledger.letters.items()), Amount()
        removed = rows.remove(ledger.deleted | (ledger.removed if self._final else set()))
        kept = ledger.letters_held
        if self._final:
            there = Amount(kept.count + written.count - removed.count, kept.size + written.size - removed.size)
            limits = ledger.letter_limits
            oldest = self._steady - limits.age if limits.age is not None and ledger.letters_due else None
            if there.count > limits.count or there.size > limits.size or oldest is not None:
                evicted = rows.evict(there, limits, oldest)
        ledger.letters_size = kept.size + written.size - removed.size - evicted.size
        return ledger.draft(next_position, evicted.count, removed.count)

    def _release_pages(self, ledger: Ledger, settled: Iterable[Range]) -> None:
        """Release the pages that the queue has settled. Pages without users are deleted."""
        done: dict[int, int] = {}
        with self._transaction.cursor(self._tables.index) as cursor:
            for start, stop in settled:
                entries = t.covering(cursor, ledger.number, start)
                for first, page, count in takewhile(lambda entry: entry[0] < stop, entries):  # noqa: B023 - used at once
                    if ledger.window.covers(first, first + count):
                        done[first] = page
        for first, page in done.items():
            key = t.place_key(ledger.number, first)
            self._delete(key, db=self._tables.index)
            if ledger.prioritized:
                self._delete(key, db=self._tables.levels)
            self.release(page)

    def release(self, page: int) -> None:
        """Decrement the number of queues that need a page; at 0 delete it, or keep it as history."""
        key = t.number_key(page)
        refs = self._get(key, db=self._tables.refs)
        count, stored_at = t.refs_of(refs) if refs is not None else (1, self.now)
        if count > 1:
            self._put(key, t.refs_value(count - 1, stored_at), db=self._tables.refs)
            return
        self._delete(key, db=self._tables.refs)
        if self._keep:
            self._put(key, t.time_value(stored_at), db=self._tables.spent)
        else:
            self._delete(key, db=self._tables.pages)

    def _write_tries(self, ledger: Ledger, limit: int) -> None:
        for position in ledger.untried:
            self._delete(t.place_key(ledger.number, position), db=self._tables.tries)
        for position, one in ledger.tries.items() if not self._room else ():
            if position < limit and not ledger.window.is_finished(position):
                self._put(t.place_key(ledger.number, position), t.try_value(one), db=self._tables.tries)

    def delete(self, ledger: Ledger) -> None:
        """Delete all rows of a queue."""
        done: list[int] = []
        with self._transaction.cursor(self._tables.index) as cursor:
            done += [page for _, page, _ in t.covering(cursor, ledger.number, 0)]
        for page in done:
            self.release(page)
        tables = self._tables
        for table in (tables.index, tables.levels, tables.settled, tables.tries, tables.letters):
            with self._transaction.cursor(table) as cursor:
                numbers = [number for number, _ in t.rows_of(cursor, ledger.number)]
            for number in numbers:
                self._delete(t.place_key(ledger.number, number), db=table)
        self._delete(t.queue_key(ledger.number), db=self._tables.queues)

    def number_queues(self, highest: int) -> None:
        """Record the highest queue number, so that it is never used again: pages name their queues by number."""
        self._put(HIGHEST, t.number_key(highest), db=self._tables.meta)

    def number_pages(self, following: int) -> None:
        """Record the number of the next page, so that those of deleted pages are never used again."""
        self._put(t.FOLLOWING, t.number_key(following), db=self._tables.meta)

    def tell_marks(self) -> None:
        """Tell the marks their pages, after the transaction."""
        for mark in self._marks:
            mark()

    def turn(self) -> None:
        """Make the transaction non-empty: LMDB reuses space only two commits after it was freed."""
        self._put(TURN, t.number_key(int(self.now)), db=self._tables.meta)

    def post(self, first: int, outbox: Sequence[Outgoing]) -> None:
        """Write outgoing messages, numbered from ``first``."""
        for number, outgoing in enumerate(outbox, first):
            record = r.OutgoingRecord(number, outgoing.backend, r.flat(outgoing.message))
            self._put(t.number_key(number), r.seal(r.OUTGOING, record), db=self._tables.outbox)

    def sent(self, numbers: Collection[int]) -> None:
        """Delete outgoing messages that have been sent."""
        for number in numbers:
            self._delete(t.number_key(number), db=self._tables.outbox)
