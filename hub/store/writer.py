"""The one thread that writes: group commits, and what to do when the disk says no."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import lmdb

from hub.interfaces import Clock
from hub.steadyclock import SteadyClock
from hub.store import Journal, Outgoing, RoutedBatch
from hub.store.commit import Commit
from hub.store.history import History
from hub.store.ledger import Ledger
from hub.store.numbers import Numbers, WriterCounters
from hub.store.pending import Item, Pending, Stored, size_of
from hub.store.tables import Tables

State = Literal["ok", "full", "failed"]
MOST_BYTES = 64 << 20
"""Of bodies in one commit: a bound on what a transaction holds in memory."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BEHIND = ("behind", "the disk does not keep up")
MOST_PENDING = 2 * MOST_BYTES
"""Bytes that may wait for the disk, until no more are taken in."""
LITTLE = MOST_BYTES // 4
"""Bytes. With less free space than that, a failed write is put down to the disk being full."""
RETRY_EVERY = 1.0
"""Seconds between two attempts while the disk is full."""
EXPIRE_EVERY = 30.0
LET_GO_EVERY = 1.0


class Writer:
    """``append``, ``changed`` and ``sent`` from any thread; ``step`` in one only, which ``run`` is the loop of.

    :param pace: seconds from an arrival to its commit while nobody waits for that: its consumers come first, many
        small commits cost more than one large, and what all have finished by then need not be written at all.
    :param hurries: whether a batch that somebody waits for is committed at once, whatever the pace.
    :param keep: seconds that a message is kept after all are done with it.
    :ivar on_state: told of each change, with the reason; in the writer's thread.
    :ivar on_outgoing: given what is to be sent out, once it is committed, with its first number.
    :ivar ledgers: by the queue's name; replaced, never changed, when a queue comes or goes.
    :ivar pending: batches that are not committed.
    """

    def __init__(
        self,
        tables: Tables,
        ledgers: dict[str, Ledger],
        numbers: Numbers,
        *,
        pace: float,
        keep: float,
        hurries: bool = True,
        wall: Clock,
        log: logging.LoggerAdapter[logging.Logger],
        monotonic: Clock = time.monotonic,
    ) -> None:
        self.state: State = "ok"
        self.reason = ""
        self.counters = WriterCounters()
        self.ledgers = ledgers
        self.journals: dict[str, Callable[[], Journal]] = {}
        self.pending = Pending(MOST_PENDING)
        self.lock = threading.Lock()
        self.on_state: Callable[[str, str], None] = lambda state, reason: None
        self.on_outgoing: Callable[[int, list[Outgoing]], None] = lambda first, outbox: None
        self._tables = tables
        self._next_page = numbers.page
        self._next_outgoing = numbers.outgoing
        self._pace, self._keep, self._hurries = pace, keep, hurries
        self.history = History(tables, keep, EXPIRE_EVERY, monotonic)
        self._wall, self._monotonic = wall, monotonic
        self._steady = SteadyClock(wall, monotonic)
        self._log = log
        self._work = threading.Event()
        self._urgent = threading.Event()
        self._closing = False
        self._sent: set[int] = set()
        self._flushes: list[Callable[[], object]] = []
        self._orders: list[Callable[[], object]] = []
        self._highest_queue = self._highest_written = numbers.queue
        self._doomed: frozenset[str] = frozenset()
        self._let_go_at = 0.0

    # -- any thread

    def append(self, batch: RoutedBatch, stored: Stored | None) -> None:
        """To be committed soon; at once if somebody waits for it."""
        if self.pending.append(batch, stored):
            self.on_state(*BEHIND)
        if stored is not None and self._hurries:
            self._urgent.set()
        if not self._work.is_set():
            self._work.set()

    def changed(self) -> None:
        """Some journal has something in it."""
        if not self._work.is_set():
            self._work.set()

    def sent(self, number: int) -> None:
        """That outgoing message has been sent."""
        with self.lock:
            self._sent.add(number)
        self.changed()

    def sent_lately(self) -> set[int]:
        """Numbers of outgoing messages that have been sent, and whose deletion is not committed."""
        return set(self._sent)

    def order(self, change: Callable[[], object]) -> None:
        """Have something done to a ledger before the next commit, in the thread that they belong to."""
        with self.lock:
            self._orders.append(change)
        self.changed()

    def delete(self, name: str) -> None:
        """A queue, all of it, with the next commit. Nobody may use it any more."""
        with self.lock:
            self._doomed = self._doomed | ({name} & self.ledgers.keys())
        self.changed()

    def add(self, name: str, created_at: float) -> Ledger:
        """A new queue."""
        with self.lock:
            self._highest_queue += 1
            ledger = Ledger(self._highest_queue, name, created_at)
            self.ledgers = {**self.ledgers, name: ledger}
        self.changed()
        return ledger

    def rename(self, old: str, new: str) -> None:
        """A queue that nobody has opened."""
        with self.lock:
            ledger = self.ledgers[old]
            ledger.name = new
            self.ledgers = {name: one for name, one in self.ledgers.items() if name != old} | {new: ledger}
        self.order(ledger.soil)

    @property
    def pages_to_come(self) -> int:
        """The number that no page of what was appended so far reaches. For the thread that appends."""
        waiting = len(self.pending)  # first: what is committed in between has its number by then
        return self._next_page + waiting

    def is_doomed(self, name: str) -> bool:
        """Whether that queue is about to be deleted."""
        return name in self._doomed

    def when_stored(self, call: Callable[[], object]) -> None:
        """See :class:`hub.store.Store`; called in the writer's thread."""
        with self.lock:
            self._flushes.append(call)
        self._urgent.set()
        self._work.set()

    def close(self) -> None:
        """Have ``run`` commit what there is, and return."""
        self._closing = True
        self._urgent.set()
        self._work.set()

    # -- the writer's thread

    def run(self) -> None:
        """Until ``close``, or until the disk can't be trusted any more."""
        while not self._closing and self.state != "failed":
            self._work.wait(EXPIRE_EVERY if self.history.exists else None)
            if self.state == "full":
                self._urgent.wait(0.0 if self._closing else RETRY_EVERY)
            else:
                self._urgent.wait(self._pace)
            self._urgent.clear()
            self._work.clear()
            self._step_or_fail()
            if self.state == "full":
                self._work.set()
        self._step_or_fail()

    def _step_or_fail(self) -> None:
        """A bug here must not leave the others waiting for a thread that is gone."""
        try:
            self.step()
        except BaseException as error:  # noqa: BLE001 - see above
            self._log.critical("the writer failed", exc_info=error, extra={"action": "bug"})
            self._become("failed", repr(error))

    def step(self) -> bool:
        """Commit what there is. Returns whether nothing is left that should have been.

        Journals are read before the batches: whatever is settled in them was appended before it was given to a worker,
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
                self.ledgers[name].absorb(journal())
        waiting = self.pending.all()
        with self.lock:
            sent = set(self._sent)
        while True:
            batches = self._some(waiting)
            if not self._commit(batches, sent, len(batches) == len(waiting)):
                return False
            del waiting[: len(batches)]
            sent = set()
            if not waiting:
                break
        with self.lock:
            done, self._flushes = self._flushes[:flushes], self._flushes[flushes:]
        for call in done:
            call()
        return True

    def _some(self, waiting: list[Item]) -> list[Item]:
        """As many as one commit takes."""
        size = 0
        for count, (batch, _) in enumerate(waiting):
            size += sum([len(message.body) for message in batch.messages])
            if size > MOST_BYTES and count:
                return waiting[:count]
        return list(waiting)

    def _commit(self, batches: list[Item], sent: set[int], final: bool) -> bool:
        """:param final: whether it has all that arrived."""
        began = self._monotonic()
        try:
            self._write(batches, sent, final)
        except (lmdb.Error, OSError) as error:
            self._failed(error)
            if self.state == "full" and batches:
                self._make_room(sent)
            return False
        self.counters.commit_times.add(self._monotonic() - began)
        if self.pending.drop(len(batches)) and self.state == "ok":
            self.on_state("ok", "")
        self._become("ok", "")
        for _, stored in batches:
            if stored is not None:
                stored()
        return True

    def _make_room(self, sent: set[int]) -> None:
        """What is settled lets pages go: without the new messages it may still be committed, and be room for them."""
        try:
            self._write([], sent, final=False)
        except (lmdb.Error, OSError) as error:
            self._failed(error)

    def _write(self, batches: list[Item], sent: set[int], final: bool) -> None:
        doomed = [self.ledgers[name] for name in self._doomed if name in self.ledgers]
        ledgers = {name: ledger for name, ledger in self.ledgers.items() if ledger not in doomed}
        if not (batches or sent or doomed or self.history.due or any(ledger.dirty for ledger in ledgers.values())):
            return
        if batches:
            self._tables.reserve(sum([size_of(batch) for batch, _ in batches]))
        page, highest = self._next_page, self._highest_queue
        with self._tables.writing() as transaction:
            steady = self._steady()
            commit = Commit(self._tables, transaction, ledgers, self._wall(), self._keep, final, steady)
            if highest > self._highest_written:
                commit.number_queues(highest)
            for ledger in doomed:
                commit.delete(ledger)
            for batch, _ in batches:
                page += commit.append(page, batch)
            touched = commit.touched
            drafts = [(ledger, commit.settle(ledger)) for ledger in touched]
            outbox = [outgoing for ledger in touched for outgoing in ledger.outbox]
            commit.post(self._next_outgoing, outbox)
            commit.sent(sent)
            expired = self.history.expire(transaction, steady, commit.pages)
        for ledger, record in drafts:
            ledger.accept(record, final)
        first, self._next_outgoing = self._next_outgoing, self._next_outgoing + len(outbox)
        self._next_page, self._highest_written = page, highest
        with self.lock:
            self._sent -= sent
            self._forget(doomed)
        self._count(commit, batches, expired)
        if self._monotonic() - self._let_go_at >= LET_GO_EVERY:
            self._let_go_at = self._monotonic()
            self._tables.let_go()
        if outbox:
            self.on_outgoing(first, outbox)

    def _forget(self, doomed: list[Ledger]) -> None:
        for ledger in doomed:
            self._doomed = self._doomed - {ledger.name}
            self.journals.pop(ledger.name, None)
        if doomed:
            self.ledgers = {name: ledger for name, ledger in self.ledgers.items() if ledger not in doomed}

    def _count(self, commit: Commit, batches: list[Item], expired: int) -> None:
        counters = self.counters
        counters.commits += 1
        counters.pages += commit.pages
        counters.skipped += commit.skipped
        counters.messages += sum([len(batch.messages) for batch, _ in batches])
        counters.expired += expired
        if self.history.crowded:
            self._work.set()

    def _failed(self, error: Exception) -> None:
        """A full disk is waited for: what is in memory stays there, and the next commit has it. After anything else
        nobody knows what is on the disk, so nothing is believed again (as PostgreSQL does after a failed fsync)."""
        self.counters.failures += 1
        code = getattr(error, "code", 0) or getattr(error, "errno", 0) or 0
        full = isinstance(error, (lmdb.MapFullError, lmdb.DiskError)) or code in FULL
        # LMDB calls a write that came short, as the last one before a disk is full does, an I/O error.
        full = full or (code == errno.EIO and self._tables.free() < LITTLE)
        self._become("full" if full else "failed", str(error))

    def _become(self, state: State, reason: str) -> None:
        if state == self.state:
            return
        self.state, self.reason = state, reason
        if state == "ok":
            self._log.info("the store can write again", extra={"action": "store"})
        else:
            self._log.error("the store is %s: %s", state, reason, extra={"action": "store"})
        self.on_state(*(BEHIND if state == "ok" and self.pending.swamped else (state, reason)))

    def status(self) -> Mapping[str, Any]:
        """Its numbers."""
        state = {"state": self.state, "reason": self.reason or None}
        return {**state, **self.counters.shown(), "pending": len(self.pending), "pending_bytes": self.pending.size}
