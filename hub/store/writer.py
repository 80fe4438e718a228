"""The one thread that writes: group commits, and what to do when the disk says no."""

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
from hub.store.condition import Condition, State
from hub.store.history import History
from hub.store.ledger import Ledger
from hub.store.numbers import Numbers, WriterCounters
from hub.store.pending import Item, Pending, Stored
from hub.store.portion import Portion
from hub.store.tables import Tables

MOST_BYTES = 64 << 20
"""Of bodies in one commit: a bound on what a transaction holds in memory."""
MOST_PENDING = 2 * MOST_BYTES
"""Bytes that may wait for the disk, until no more are taken in."""
MANY = MOST_BYTES // 2
"""Bytes that wait, at which a commit is due whatever the pace: only a slow disk lets more wait, no setting does."""
CLOSING_TRIES = 5  # what one commit frees can be used by the next but one
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
        self.counters = WriterCounters()
        self.ledgers = ledgers
        self.journals: dict[str, Callable[[], Journal]] = {}
        self.pending = Pending(MOST_PENDING)
        self.lock = threading.Lock()
        self.condition = Condition(self.pending, lambda: tables.free(), log)
        self.on_outgoing: Callable[[int, list[Outgoing]], None] = lambda first, outbox: None
        self._tables = tables
        self._next_page = numbers.page
        self._next_outgoing = numbers.outgoing
        self._pace, self._keep, self._hurries = pace, keep, hurries
        self.history = History(tables, keep, EXPIRE_EVERY, monotonic)
        self._wall, self._monotonic = wall, monotonic
        self._steady = SteadyClock(wall, monotonic)
        self._log = log
        self._most = MOST_PENDING
        self._work = threading.Event()
        self._urgent = threading.Event()
        self._closing = False
        self._sent: set[int] = set()
        self._flushes: list[Callable[[], object]] = []
        self._orders: list[Callable[[], object]] = []
        self._highest_queue = self._highest_written = numbers.queue
        self._doomed: frozenset[str] = frozenset()
        self._let_go_at = 0.0

    @property
    def state(self) -> State:
        """Of the disk: ``ok``, ``full`` or ``failed``."""
        return self.condition.state

    # -- any thread

    def append(self, batch: RoutedBatch, stored: Stored | None) -> None:
        """To be committed soon; at once if somebody waits for it."""
        if self.pending.append(batch, stored):
            self.condition.tell()
        if (stored is not None and self._hurries) or self.pending.size > MANY:
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
        """A queue; at once if nobody has opened it, else in the writer's thread: nothing of it may be on its way."""
        if old in self.journals:
            self.order(lambda: self._rename(old, new))
        else:
            self._rename(old, new)
            self.changed()

    def _rename(self, old: str, new: str) -> None:
        with self.lock:
            ledger = self.ledgers[old]
            ledger.name, ledger.dirty = new, True
            self.ledgers = {name: one for name, one in self.ledgers.items() if name != old} | {new: ledger}
        if old in self.journals:
            self.journals[new] = self.journals.pop(old)

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
            if not self._work.wait(LET_GO_EVERY):
                self._tables.let_go()  # of what was read since the last commit
                self._work.wait(EXPIRE_EVERY if self.history.exists else None)
            self._urgent.wait(RETRY_EVERY if self.state == "full" else self._pace)
            self._urgent.clear()
            self._work.clear()
            self._step_or_fail()
            if self.state == "full":
                self._work.set()
        for _ in range(CLOSING_TRIES):
            self._step_or_fail()
            if self.state != "full":
                break

    def _step_or_fail(self) -> None:
        """A bug here must not leave the others waiting for a thread that is gone."""
        try:
            self.step()
        except BaseException as error:  # noqa: BLE001 - see above
            self._log.critical("the writer failed", exc_info=error, extra={"action": "bug"})
            self.condition.become("failed", repr(error))

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
        """As much of it as is good at once; on a full disk as much as there is room for. ``None``: for nothing."""
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
        """Smaller and smaller parts, until one is written, or none can be."""
        grown = False
        while True:
            portion = Portion.of(waiting, self.ledgers.values(), min(MOST_BYTES, self._most))
            try:
                self._write(portion, sent)
            except (lmdb.Error, OSError) as error:
                self.counters.failures += 1
                portion.retract()
                if isinstance(error, lmdb.MapFullError) and not grown and (grown := self._tables.grow_map()):
                    continue  # a map is not a disk
                if portion.parts > 1 and self.condition.is_full(error):
                    self._most = portion.half()
                    continue
                self.condition.failed(error)
                if self.state == "full":
                    self._make_room(sent)
                return None
            return portion

    def _make_room(self, sent: set[int]) -> None:
        """What is settled lets pages go: without what needs room it may still be committed, and be room for that."""
        try:
            self._write(Portion((), (), False), sent, room=True)
        except (lmdb.Error, OSError) as error:
            self.counters.failures += 1
            self.condition.failed(error)

    def _write(self, portion: Portion, sent: set[int], room: bool = False) -> None:
        """:param room: only what makes room."""
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
        for ledger, record in drafts:
            ledger.accept(record, final, not room)
        self._next_page, self._highest_written = page, highest
        with self.lock:
            self._sent -= sent
            self._forget(doomed)
        self._count(commit, portion.batches, expired)
        if self._monotonic() - self._let_go_at >= LET_GO_EVERY:
            self._let_go_at = self._monotonic()
            self._tables.let_go()
        self._hand_out(outbox)

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
            self._work.set()

    def status(self) -> Mapping[str, Any]:
        """Its numbers."""
        state, reason = self.condition.now
        waiting = {"pending": len(self.pending), "pending_bytes": self.pending.size}
        return {"state": state, "reason": reason or None, **self.counters.shown(), **waiting}
