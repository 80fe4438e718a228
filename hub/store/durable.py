"""The store that outlives the hub: one log in LMDB for all queues, each message in it once."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.deadletter import DeadLetter
from hub.errors import ConfigError
from hub.interfaces import Clock
from hub.stats.counters import Counters, QueueStats
from hub.store import Beginning, Found, Journal, Kept, Outgoing, QueueState, RoutedBatch, Run, Try, search
from hub.store import tables as t
from hub.store.hands import FileHand, Hands
from hub.store.history import received_between
from hub.store.ledger import Ledger
from hub.store.letters import LetterLimits
from hub.store.opening import Opening
from hub.store.pending import Stored
from hub.store.reader import Reader, run_of
from hub.store.recovery import recover
from hub.store.search import Search
from hub.store.writer import Writer

PACE = 0.005
"""Seconds between two commits while nobody waits for one."""
DELETE_TIMEOUT = 10.0
"""Seconds that a new queue waits for an old one of its name to be gone."""
CAREFUL_FOR = 300.0
"""Seconds; see :attr:`hub.store.Store.careful`."""


class DurableStore:
    """See :class:`hub.store.Store`. :class:`~hub.store.writer.Writer` does the writing, in a thread of this store's.

    :param directory: holds the file; nobody else may have it open.
    :param sync: whether a commit waits for the disk.
    :param threaded: ``False``: tests call ``writer.step`` themselves.
    :param map_size: bytes of addresses for the file to begin with; ``None``: plenty, or what there is.
    :raises ConfigError: there is something in the directory that is not ours, or newer, or damaged.
    :raises OSError: the disk is full, read-only or failing.
    """

    durable = True

    def __init__(
        self,
        directory: Path,
        log: logging.LoggerAdapter[logging.Logger],
        *,
        pace: float = PACE,
        hurries: bool = True,
        keep: float = 0.0,
        sync: bool = True,
        wall: Clock = time.time,
        monotonic: Clock = time.monotonic,
        threaded: bool = True,
        map_size: int | None = None,
        tables: t.Tables | None = None,
    ) -> None:
        with Opening(directory, log) as opening:
            self.tables = tables or opening.tables(sync, map_size)
            found = recover(self.tables)
        self._wall, self._monotonic = wall, monotonic
        self._careful_until = float("-inf")
        self._log = log
        self.keeps = keep > 0
        self._reader = Reader(self.tables, log)
        self._search = Search(self.tables, lambda: {one.number: one.name for one in self.writer.ledgers.values()}, log)
        self._tries = found.tries
        options: dict[str, Any] = {"pace": pace, "keep": keep, "hurries": hurries, "wall": wall, "monotonic": monotonic}
        self.writer = Writer(self.tables, found.ledgers, found.numbers, log=log, **options)
        self._hands = Hands(directory)
        self._suspect()
        if self.writer.step() or not self._hands.suspects:
            self._hands.begin()
        self._thread = threading.Thread(target=self.writer.run, name="hubbub-store", daemon=True)
        if threaded:
            self._thread.start()

    # -- at the start

    @property
    def careful(self) -> bool:
        """See the interface."""
        return self._monotonic() < self._careful_until

    def _suspect(self) -> None:
        """What was in hand when the hub was killed may have killed it; each is noted before it is given again."""
        for name, ledger in self.writer.ledgers.items():
            tries = self._tries[name]
            for start, stop in self._hands.suspects.get(ledger.number, ()):
                if stop > ledger.next_position:
                    self._careful_until = self._monotonic() + CAREFUL_FOR
                for first, after in ledger.window.open(start, min(stop, ledger.next_position)):
                    for position in range(first, after):
                        one = tries.get(position, Try())
                        tries[position] = replace(one, attempts=one.attempts + 1, kills=one.kills + 1)
                        ledger.tried_again(position, tries[position])

    # -- the queues

    def queues(self) -> Sequence[str]:
        """All that there are, those that belong to no consumer too."""
        return list(self.writer.ledgers)

    def stats(self, queue: str) -> QueueStats:
        """Of a queue that belongs to no consumer: as it was committed."""
        ledger = self.writer.ledgers.get(queue)
        if ledger is None:  # deleted since the caller was told that it is there
            return QueueStats(Counters(), 0, 0, None)
        return QueueStats(replace(ledger.counters), 0, len(ledger.tried), self._oldest(ledger))

    def shown(self, queue: str) -> Counters | None:
        """As the last commit left them."""
        ledger = self.writer.ledgers.get(queue)
        return ledger.shown if ledger else None

    def created_at(self, queue: str) -> float:
        """Also as what it is called now."""
        return self.writer.ledgers[queue].created_at

    def settled(self, queue: str, position: int) -> bool:
        """See the interface."""
        ledger = self.writer.ledgers.get(queue)
        return ledger is None or ledger.window.is_finished(position)

    def rename(self, old: str, new: str) -> None:
        """With the next commit; see the interface."""
        self._tries[new] = self._tries.pop(old, {})
        self.writer.rename(old, new)

    def delete(self, queue: str) -> None:
        """With the next commit."""
        self.writer.delete(queue)

    def open(self, queue: str) -> QueueState:
        """What there is of it; a new one is made. :raises ConfigError: it is being deleted, and the disk is full."""
        if self.writer.is_doomed(queue) and not self.flush(DELETE_TIMEOUT):
            raise ConfigError([f"the queue {queue} is being deleted, which takes its time: try again later"])
        ledger = self.writer.ledgers.get(queue)
        if ledger is None:
            ledger = self.writer.add(queue, self._wall())
        tries = self._tries.pop(queue, {})
        return ledger.state(tries, self._oldest(ledger))

    def _oldest(self, ledger: Ledger) -> float | None:
        try:
            runs = self.read(ledger.name, ledger.window.floor, 1, 1)
        except KeyError:  # as in ``stats``
            return None
        return runs[0].messages[0].received_at if runs and runs[0].messages else None

    def attach(self, queue: str, journal: Callable[[], Journal]) -> None:
        """Fetch its journal there."""
        self.writer.journals[queue] = journal

    def changed(self, queue: str) -> None:
        """Soon there will be a commit."""
        self.writer.changed()

    def append(self, batch: RoutedBatch, stored: Stored | None) -> None:
        """To be committed soon."""
        self.writer.append(batch, stored)

    def hand(self, queue: str) -> FileHand:
        """In a file that outlives a kill."""
        return self._hands.hand(self.writer.ledgers[queue].number)

    # -- reading

    def read(self, queue: str, position: int, count: int, size: int) -> Sequence[Run]:
        """What is on the disk, then what is on its way there."""
        ledger = self.writer.ledgers[queue]
        # First: what is committed in between is then found on the disk.
        pending = [share for batch, _ in self.writer.pending.all() for share in batch.shares if share.queue == queue]
        runs: list[Run] = []
        for run in self._reader.read(ledger.number, position):
            runs.append(run)
            position = run.start + run.count
            count -= run.count
            size -= run.size
            if count <= 0 or size <= 0:
                return runs
        for share in pending:
            if share.stop > position:
                skip = max(0, position - share.start)
                messages = share.messages[skip:]
                runs.append(run_of(share.start + skip, messages))
                position = share.stop
                count -= len(messages)
                size -= runs[-1].size
                if count <= 0 or size <= 0:
                    break
        return runs

    def kept(self, since: float, until: float, queue: str) -> Iterator[Sequence[Kept]]:
        """Page by page, of those that there are now."""
        return received_between(self.history(queue, 0, self.writer.pages_to_come), since, until, self._wall())

    def history(self, queue: str, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """What is committed by the time of each step."""
        ledger = self.writer.ledgers.get(queue)
        return self._reader.history(ledger.number if ledger else None, first, stop)

    def beginning(self, queue: str) -> Beginning | None:
        """As of the last commit."""
        ledger = self.writer.ledgers.get(queue)
        return ledger.beginning if ledger else None

    def bound(self, size: int | None) -> None:
        """With the next commits."""
        self.writer.history.limit = size

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """First what is on its way to the disk: what is committed in between is then found there."""
        now = self._wall()
        batches = [batch for batch, _ in self.writer.pending.all()]
        for found in search.pending(batches, id_):
            yield found, now
        yield from self._search.pages(id_, since)

    # -- dead letters

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Those that are committed, and those that are about to be."""
        names = self.writer.ledgers
        committing = [(one.name, letter) for one in names.values() for letter in list(one.letters.values())]
        yield [(name, letter) for name, letter in committing if letter.message.id == id_]
        for found in self._search.letters(id_):
            yield [(name, one) for name, one in found if name in names and one.number not in names[name].hidden]

    def dead_letters(self, queue: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """Those that are committed."""
        ledger, most = self.writer.ledgers.get(queue), sys.maxsize if size is None else size
        return list(self._reader.letters(ledger.number, after, most, ledger.hidden)) if ledger else []

    def letter(self, queue: str, number: int) -> DeadLetter | None:
        """Of those that are committed."""
        ledger = self.writer.ledgers.get(queue)
        return self._reader.letter(ledger.number, number) if ledger and number not in ledger.hidden else None

    def remove_letters(self, queue: str, numbers: Sequence[int], again: bool = False) -> None:
        """With the next commit."""
        ledger = self.writer.ledgers[queue]
        ledger.hide(self._reader.present(ledger.number, numbers))
        self.writer.order(lambda: ledger.remove(numbers, again))

    def kept_dead_letters(self, queue: str) -> int:
        """Of the last commit, without those that were removed since."""
        ledger = self.writer.ledgers.get(queue)
        return max(0, ledger.letters_kept - len(ledger.hidden)) if ledger else 0

    def lost_dead_letters(self, queue: str) -> int:
        """Only grows."""
        ledger = self.writer.ledgers.get(queue)
        return ledger.letters_lost_shown if ledger else 0

    def limit_dead_letters(self, queue: str, count: int, size: int | None = None, age: float | None = None) -> None:
        """With the next commit."""
        ledger, limits = self.writer.ledgers[queue], LetterLimits.of(count, size, age)
        self.writer.order(lambda: ledger.limit(limits))

    # -- the outbox

    def outbox(self) -> list[tuple[int, Outgoing]]:
        """What is committed, without what was sent and is not deleted yet."""
        sent = self.writer.sent_lately()  # first: what is deleted in between is not found any more
        return [(number, outgoing) for number, outgoing in self._reader.outbox() if number not in sent]

    # -- all of it

    def pending(self) -> int:
        """See the interface."""
        return len(self.writer.pending)

    def when_stored(self, call: Callable[[], object]) -> None:
        """See the interface."""
        self.writer.when_stored(call)

    def flush(self, timeout: float) -> bool:
        """See the interface."""
        done = threading.Event()
        self.writer.when_stored(done.set)
        return done.wait(timeout)

    def condition(self) -> tuple[str, str]:
        """As the writer finds the disk, and as much waits for it."""
        return self.writer.condition.now

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """Who is told of trouble, and who sends; see :class:`~hub.store.writer.Writer`."""
        self.writer.condition.on_change, self.writer.on_outgoing = on_state, on_outgoing
        if self.condition()[0] != "ok":
            on_state(*self.condition())

    def sent(self, number: int) -> None:
        """That outgoing message need be kept no longer."""
        self.writer.sent(number)

    def status(self) -> Mapping[str, Any]:
        """The writer's numbers, and the disk's."""
        disk = {"used_bytes": self.tables.used(), "history_pages": self.tables.count("spent")}
        return {**self.writer.status(), **disk, "cached_bytes": self._reader.cached_bytes}

    def close(self) -> bool:
        """Commits what there is."""
        self.writer.close()
        if self._thread.is_alive():
            self._thread.join()
        else:
            self.writer.step()
        safe = self.writer.state == "ok"
        if safe:
            self._hands.close()
        self.tables.close()
        return safe
