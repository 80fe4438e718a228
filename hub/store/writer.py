"""Writer: the only thread that writes, in group commits, with the handling of disk errors."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lmdb

from hub.interfaces import Clock
from hub.steadyclock import SteadyClock
from hub.store import Journal, Outgoing, RoutedBatch
from hub.store.commit import Commit
from hub.store.commit_timer import CommitTimer
from hub.store.condition import DiskCondition, State
from hub.store.history import Retention
from hub.store.ledger import Ledger
from hub.store.pending import Item, Pending, Stored
from hub.store.portion import Portion
from hub.store.queue_key import QueueKey
from hub.store.sequences import Sequences, WriterCounters
from hub.store.tables import Tables

MOST_BYTES = 64 << 20
"""Most bytes of bodies in one commit, which bounds the memory of a transaction."""
MOST_PENDING = 2 * MOST_BYTES
"""Bytes of pending batches above which the disk does not keep up."""
MANY = MOST_BYTES // 2
"""Bytes of pending batches at which a commit is due at once: only a slow disk lets more wait."""
CLOSING_TRIES = 5  # space freed by one commit can be used by the next but one
EXPIRE_EVERY = 30.0
RETURN_EVERY = 1.0
"""Seconds between two evictions of the memory map."""
MANY_BATCHES = 16
"""Number of pending batches at which a commit is due at once, which bounds the loss by a kill."""


class Writer:
    """The writer. ``append``, ``changed`` and ``sent`` are thread-safe; only one thread calls ``run`` or ``step``.

    :param timer: timer of commits nobody waits for: many small commits cost more than a large one, and a message
        that all queues have settled before its commit is not written at all.
    :param hurries: whether a batch that somebody waits for is committed at once.
    :param keep: seconds that a message is kept after all queues have settled it.
    :ivar on_outgoing: called with committed outgoing messages, and the number of the first.
    :ivar ledgers: ledgers by queue name; the dictionary is replaced, never changed.
    :ivar pending: batches that are not committed.
    """

    def __init__(
        self,
        tables: Tables,
        ledgers: dict[str, Ledger],
        sequences: Sequences,
        *,
        timer: CommitTimer,
        keep: float,
        hurries: bool = True,
        wall: Clock,
        log: logging.LoggerAdapter[logging.Logger],
        monotonic: Clock = time.monotonic,
    ) -> None:
        self.counters = WriterCounters()
        self.ledgers = ledgers
        self.journals: dict[str, Callable[[], Journal]] = {}
        self.pending = Pending(MOST_PENDING)
        self.lock = threading.Lock()
        self.condition = DiskCondition(self.pending, lambda: tables.free(), log)
        self.on_outgoing: Callable[[int, list[Outgoing]], None] = lambda first, outbox: None
        self._tables = tables
        self._next_page = sequences.page
        self._next_outgoing = sequences.outgoing
        self._timer, self._keep, self._hurries = timer, keep, hurries
        self.history = Retention(tables, keep, EXPIRE_EVERY, monotonic)
        self._wall, self._monotonic = wall, monotonic
        self._steady = SteadyClock(wall, monotonic)
        self._log = log
        self._most = MOST_PENDING
        self._closing = False
        self._sent: set[int] = set()
        self._flushes: list[Callable[[], object]] = []
        self._orders: list[Callable[[], object]] = []
        self._highest_queue = self._highest_written = sequences.queue
        self._doomed: frozenset[str] = frozenset()
        self._returned_at = 0.0

    @property
    def state(self) -> State:
        """State of the disk: ``ok``, ``full`` or ``failed``."""
        return self.condition.state

    # -- any thread

    def append(self, batch: RoutedBatch, stored: Stored | None) -> None:
        """Append a batch. It is committed soon; if somebody waits for it, at once."""
        if self.pending.append(batch, stored):
            self.condition.tell()
        if (stored is not None and self._hurries) or self.pending.size > MANY or len(self.pending) == MANY_BATCHES:
            self._timer.hurry()
        else:
            self._timer.request()

    def changed(self) -> None:
        """Request a commit, because a journal is not empty."""
        self._timer.request()

    def sent(self, number: int) -> None:
        """Delete an outgoing message that has been sent."""
        with self.lock:
            self._sent.add(number)
        self.changed()

    def sent_lately(self) -> set[int]:
        """Numbers of outgoing messages that were sent, and whose deletion is not committed."""
        return set(self._sent)

    def order(self, change: Callable[[], object]) -> None:
        """Run a change of a ledger in the writer's thread, before the next commit."""
        with self.lock:
            self._orders.append(change)
        self.changed()

    def delete(self, name: str) -> None:
        """Delete a queue with the next commit. It must not be used afterwards."""
        with self.lock:
            self._doomed = self._doomed | ({name} & self.ledgers.keys())
        self.changed()

    def add(self, key: QueueKey, created_at: float, declaration: bytes = b"") -> Ledger:
        """Create a queue. :param created_at: epoch seconds."""
        with self.lock:
            self._highest_queue += 1
            ledger = Ledger(self._highest_queue, key, created_at, declaration)
            self.ledgers = {**self.ledgers, str(key): ledger}
        self.changed()
        return ledger

    def rename(self, old: str, new: QueueKey) -> None:
        """Rename a queue: at once if it is not open, otherwise in the writer's thread. Nothing of it may be pending."""
        if old in self.journals:
            self.order(lambda: self._rename(old, new))
        else:
            self._rename(old, new)
            self.changed()

    def _rename(self, old: str, new: QueueKey) -> None:
        with self.lock:
            ledger = self.ledgers[old]
            ledger.key, ledger.dirty = new, True
            self.ledgers = {name: one for name, one in self.ledgers.items() if name != old} | {str(new): ledger}
        if old in self.journals:
            self.journals[str(new)] = self.journals.pop(old)

    @property
    def pages_to_come(self) -> int:
        """A page number above those of all batches appended so far. For the thread that appends."""
        waiting = len(self.pending)  # before the page number: batches committed meanwhile are in that
        return self._next_page + waiting

    def is_doomed(self, name: str) -> bool:
        """Tell whether a queue is about to be deleted."""
        return name in self._doomed

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        """Call ``call`` in the writer's thread when all batches and journals so far are committed."""
        with self.lock:
            self._flushes.append(call)
        if at_once or self._hurries:
            self._timer.hurry()
        else:
            self._timer.request()

    def close(self) -> None:
        """Make ``run`` commit everything and return."""
        self._closing = True
        self._timer.hurry()

    # -- the writer's thread

    def run(self) -> None:
        """Run the loop until ``close``, or until the disk has failed."""
        while not self._closing and self.state != "failed":
            self._timer.wait(self._return_memory, EXPIRE_EVERY if self.history.exists else None, self.state == "full")
            self._step_or_fail()
            self._return_memory()
        for _ in range(CLOSING_TRIES):
            self._step_or_fail()
            if self.state != "full":
                break

    def _return_memory(self) -> None:
        """Evict the pages that were read or written from the resident memory."""
        if self._monotonic() - self._returned_at >= RETURN_EVERY:
            self._returned_at = self._monotonic()
            self._tables.evict()

    def _step_or_fail(self) -> None:
        """Step; a bug becomes the state ``failed``, so that no thread waits for a dead writer."""
        try:
            self.step()
        except BaseException as error:  # noqa: BLE001 - see above
            self._log.critical("internal error of the store's writer", exc_info=error, extra={"action": "bug"})
            self.condition.become("failed", repr(error))

    def step(self) -> bool:
        """Commit everything pending. Returns whether everything is committed.

        Journals are read before the batches: a message that is settled in them was appended before it was delivered,
        so it is among the batches, and no settlement is ever committed before its message.
        """
        if self.state == "failed":
            return False
        with self.lock:
            flushes, orders, self._orders = len(self._flushes), self._orders, []
        for change in orders:
            change()
        for name, journal in list(self.journals.items()):
            if name in self.ledgers and name not in self._doomed:
                self.ledgers[name].absorb(journal(), hold=True)
        waiting = self.pending.all()
        with self.lock:
            sent = set(self._sent)
        while True:
            portion = self._commit(waiting, sent)
            if portion is None:
                return False
            del waiting[: len(portion.batches)]
            sent = set()
            if portion.all:
                break
        with self.lock:
            done, self._flushes = self._flushes[:flushes], self._flushes[flushes:]
        for call in done:
            call()
        return True

    def _commit(self, waiting: list[Item], sent: set[int]) -> Portion | None:
        """Commit a portion, on a full disk as much as fits. Returns it, or ``None`` if nothing was written."""
        began = self._monotonic()
        portion = self._some_of(waiting, sent)
        if portion is None:
            return None
        self._most = min(MOST_PENDING, 2 * self._most)
        self.counters.commit_times.add(self._monotonic() - began)
        few = self.pending.drop(len(portion.batches))
        if not self.condition.become("ok", "") and few:
            self.condition.tell()
        for _, stored in portion.batches:
            if stored is not None:
                stored()
        return portion

    def _some_of(self, waiting: list[Item], sent: set[int]) -> Portion | None:
        """Try smaller and smaller portions, until one is written or none can be."""
        grown = False
        while True:
            portion = Portion.of(waiting, self.ledgers.values(), min(MOST_BYTES, self._most))
            try:
                self._write(portion, sent)
            except (lmdb.Error, OSError) as error:
                self.counters.failures += 1
                portion.retract()
                if isinstance(error, lmdb.MapFullError) and not grown and (grown := self._tables.grow_map()):
                    continue  # the map was full, not the disk
                if portion.parts > 1 and self.condition.is_full(error):
                    self._most = portion.half()
                    continue
                self.condition.failed(error)
                if self.state == "full":
                    self._make_room(sent)
                return None
            return portion

    def _make_room(self, sent: set[int]) -> None:
        """Commit only settlements that free space, which may make room for the rest."""
        try:
            self._write(Portion((), (), False), sent, room=True)
        except (lmdb.Error, OSError) as error:
            self.counters.failures += 1
            self.condition.failed(error)

    def _write(self, portion: Portion, sent: set[int], room: bool = False) -> None:
        """Write a portion. :param room: write only changes that free space."""
        doomed = [self.ledgers[name] for name in self._doomed if name in self.ledgers]
        ledgers = {name: ledger for name, ledger in self.ledgers.items() if ledger not in doomed}
        dirty = sent or doomed or self.history.due or any(ledger.dirty for ledger in ledgers.values())
        if not (room or portion.parts or dirty):
            return
        if not room:
            portion.reserve(self._tables, self.ledgers.values())
        portion.admit()
        page, highest, final, steady = self._next_page, self._highest_queue, portion.all, self._steady()
        with self._tables.writing() as transaction:
            commit = Commit(self._tables, transaction, ledgers, self._wall(), self._keep, final, steady, room)
            if highest > self._highest_written:
                commit.number_queues(highest)
            for ledger in doomed:
                commit.delete(ledger)
            for batch, _ in portion.batches:
                page += commit.append(page, batch)
            touched = commit.touched
            drafts = [(ledger, commit.settle(ledger)) for ledger in touched]
            outbox = [outgoing for ledger in touched for outgoing in ledger.outbox]
            commit.post(self._next_outgoing, outbox)
            commit.sent(sent)
            if room:
                commit.turn()
            expired = self.history.expire(transaction, steady, commit.pages)
            if expired:
                commit.number_pages(page)
        for ledger, record in drafts:
            ledger.accept(record, final, not room)
        self._next_page, self._highest_written = page, highest
        with self.lock:
            self._sent -= sent
            self._forget(doomed)
        self._count(commit, portion.batches, expired)
        self._hand_out(outbox)
        commit.tell_marks()

    def _hand_out(self, outbox: list[Outgoing]) -> None:
        first, self._next_outgoing = self._next_outgoing, self._next_outgoing + len(outbox)
        if outbox:
            self.on_outgoing(first, outbox)

    def _forget(self, doomed: list[Ledger]) -> None:
        for ledger in doomed:
            self._doomed = self._doomed - {ledger.name}
            self.journals.pop(ledger.name, None)
        if doomed:
            self.ledgers = {name: ledger for name, ledger in self.ledgers.items() if ledger not in doomed}

    def _count(self, commit: Commit, batches: Sequence[Item], expired: int) -> None:
        counters = self.counters
        counters.commits += 1
        counters.pages += commit.pages
        counters.skipped += commit.skipped
        counters.messages += sum([len(batch.messages) for batch, _ in batches])
        counters.expired += expired
        if self.history.crowded:
            self._timer.request()

    def status(self) -> Mapping[str, Any]:
        """Numbers of the writer, for the status."""
        state, reason = self.condition.now
        waiting = {"pending": len(self.pending), "pending_bytes": self.pending.size}
        return {"state": state, "reason": reason or None, **self.counters.shown(), **waiting}
